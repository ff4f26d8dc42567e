/** update of a living container, where a later write fails. Needs root. */
import { existsSync, mkdirSync, readFileSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { withEngine } from './harness.js';

const MB = 1024 ** 2;

test.serial('a record that cannot be written: documents and control files are as before', async (t) => {
  await withEngine(async ({ engine, root }) => {
    const { id } = await engine.create({
      image: 'busybox',
      network: 'none',
      name: 'lives',
      command: ['sleep', '1000'],
    });
    await engine.start(id);
    const dir = join(root, 'containers', id);
    const limits = async () => {
      const [stats] = await engine.stats([id]);
      const { HostConfig } = await engine.inspectContainer(id);
      const documents = ['config.json', 'launch.json'].map((name) => readFileSync(join(dir, name), 'utf8'));
      return { limit: stats?.usage?.memoryLimit, HostConfig, documents };
    };
    const before = await limits();
    const change = { memory: '64m', memorySwap: '128m', pidsLimit: 20, restart: 'always' };
    const obstacle = join(dir, 'container.json.updated');
    mkdirSync(obstacle);
    await t.throwsAsync(engine.update(id, change));
    // It had no limit before: that, too, comes back.
    t.deepEqual(await limits(), before);
    t.false(existsSync(join(dir, 'updating')));

    rmdirSync(obstacle);
    t.deepEqual(await engine.update(id, change), { warnings: [] });
    const after = await limits();
    t.is(after.limit, 64 * MB);
    t.like(after.HostConfig, { Memory: 64 * MB, PidsLimit: 20 });
    const inode = (path: string) => statSync(path).ino;
    t.is(inode(join(root, 'names', 'lives')), inode(join(dir, 'container.json')));
    t.is((await engine.inspectContainer('lives')).Id, id);
  });
});
