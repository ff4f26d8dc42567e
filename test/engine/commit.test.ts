import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { allOf, names, run, withEngine } from './harness.js';

test.serial('a commit is an image with one layer more, and runs at once', async (t) => {
  await withEngine(async ({ engine, root }) => {
    const script = 'echo v1 > /etc/version; rm /etc/shadow; mkdir /opt; echo 小燕 > /opt/ü';
    const { id } = await run(engine, { command: ['sh', '-c', script], env: ['A=1'] });
    const image = await engine.commit(id, {
      repository: 'test/Busy'.toLowerCase(),
      message: 'add 版本',
      author: '小燕',
      changes: ['CMD ["cat", "/etc/version", "/opt/ü"]', 'ENV B=$A'],
    });
    const base = await engine.inspectImage('busybox');
    const made = await engine.inspectImage('test/busy:latest');
    t.is(made.Id, image);
    t.is(made.RootFS.Layers.length, base.RootFS.Layers.length + 1);
    t.deepEqual(made.RootFS.Layers.slice(0, -1), base.RootFS.Layers);
    t.is(made.Parent, base.Id);
    t.is(made.Author, '小燕');
    t.is(made.Comment, 'add 版本');
    t.deepEqual(made.Config.Cmd, ['cat', '/etc/version', '/opt/ü']);
    t.true(made.Config.Env?.includes('B=1'));
    const [newest] = await engine.history('test/busy');
    t.is(newest?.comment, 'add 版本');
    t.is(newest?.created_by, `sh -c ${script}`);
    const again = await run(engine, { image: 'test/busy', command: [] });
    t.is(again.stdout, 'v1\n小燕\n');
    t.is((await run(engine, { image: 'test/busy', command: ['ls', '/etc/shadow'] })).code, 1);
    t.true(existsSync(join(root, 'layers')));
  });
});

test.serial('a commit of a commit of a commit; what is below is never written', async (t) => {
  await withEngine(async ({ engine }) => {
    let image = 'busybox';
    for (const step of ['one', 'two', 'three']) {
      const { id } = await run(engine, { image, command: ['sh', '-c', `echo ${step} >> /steps`] });
      image = `line:${step}`;
      t.is(await engine.commit(id, { repository: image }), (await engine.inspectImage(image)).Id);
    }
    t.is(
      (await run(engine, { image: 'line:three', command: ['cat', '/steps'] })).stdout,
      'one\ntwo\nthree\n',
    );
    t.is((await run(engine, { image: 'line:one', command: ['cat', '/steps'] })).stdout, 'one\n');
    t.is((await engine.inspectImage('line:three')).RootFS.Layers.length, 4);
  });
});

test.serial('a running container stands still while it is committed, and goes on afterwards', async (t) => {
  await withEngine(async ({ engine }) => {
    const { id } = await engine.create({
      image: 'busybox',
      network: 'none',
      command: ['sh', '-c', 'echo x > /f; echo ready; while :; do sleep 0.05; echo tick; done'],
    });
    const attachment = await engine.start(id, { attach: { stdout: true } });
    const output = attachment?.stdout[Symbol.asyncIterator]();
    await output?.next();
    await engine.commit(id, { repository: 'live' });
    t.is((await engine.inspectContainer(id)).State.Status, 'running');
    let ticks = 0;
    while (ticks < 3) if (String((await output?.next())?.value).includes('tick')) ticks++;
    attachment?.detach();
    t.is((await run(engine, { image: 'live', command: ['cat', '/f'] })).stdout, 'x\n');
  });
});

test.serial(
  'bad names and changes are refused before anything is read; no image, no mount stub in the layer',
  async (t) => {
    await withEngine(async ({ engine, root }) => {
      const { id } = await run(engine, {
        command: ['true'],
        volume: ['/etc/passwd:/srv/file', 'data:/data'],
      });
      await t.throwsAsync(engine.commit(id, { repository: 'Upper' }), {
        code: 'USAGE',
        message: /must be lowercase/,
      });
      await t.throwsAsync(engine.commit(id, { changes: ['RUN x'] }), {
        code: 'USAGE',
        message: 'run is not a valid change command',
      });
      t.is((await engine.images()).length, 1);
      await engine.commit(id, { repository: 'stubs' });
      const seen = await run(engine, { image: 'stubs', command: ['sh', '-c', 'ls -d /srv/file /data'] });
      t.is(seen.stdout, '/data\n');
      t.deepEqual(names(root, 'staging'), ['ingest']);
    });
  },
);

test.serial('an image that containers stand on is kept, and what nobody needs is gone', async (t) => {
  await withEngine(async ({ engine, root }) => {
    const { id } = await run(engine, { command: ['sh', '-c', 'echo x > /x'], name: 'user' });
    await t.throwsAsync(engine.removeImage('busybox'), { code: 'IN_USE', message: /container/ });
    await engine.removeImage('busybox', { force: true });
    t.regex((await engine.ps({ all: true }))[0]?.image ?? '', /^[0-9a-f]{12}$/);
    const again = await engine.start(id, { attach: { stdout: true } });
    t.is(await allOf(again?.stdout), '');
    t.is(await again?.exit, 0);
    await engine.remove(id);
    t.deepEqual(names(root, 'layers'), ['init-v1']);
    t.deepEqual(names(root, 'oci/blobs/sha256'), []);
    t.is(JSON.parse(readFileSync(join(root, 'oci', 'index.json'), 'utf8')).manifests.length, 0);
  });
});
