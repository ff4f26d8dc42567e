/** Files of a container through the library: streams that say how they ended, and one operation at a time. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import test from 'ava';
import { file, tar } from '../layer/tar-builder.js';
import { withEngine } from './harness.js';

test('statPath, copyTo and copyFrom', async (t) => {
  await withEngine(async ({ engine }) => {
    const { id } = await engine.create({ image: 'busybox', network: 'none', command: ['true'] });
    const archive = tar(file('f', 'content', { mtime: 1_000_000_000 }));
    await engine.copyTo(id, '/tmp', Readable.from([archive]));
    t.deepEqual(await engine.statPath(id, 'tmp/f'), {
      name: 'f',
      size: 7,
      mode: 0o100644,
      mtime: '2001-09-09T01:46:40Z',
      linkTarget: '',
    });
    const { stat, archive: stream } = await engine.copyFrom(id, '/tmp/f');
    t.is(stat.size, 7);
    const received = await buffer(stream);
    t.is(received.length, archive.length);
    t.is(received.toString('latin1', 512, 519), 'content');
    t.is((await engine.statPath(id, '/etc/mtab')).linkTarget, '/proc/mounts');
    await t.throwsAsync(engine.copyFrom(id, '/none'), {
      message: `Could not find the file /none in container ${id}`,
    });
    await t.throwsAsync(engine.copyTo(id, '/tmp/f', Readable.from([archive])), {
      message: 'extraction point is not a directory',
    });
    const events = [];
    for await (const { Action } of engine.events({
      since: new Date(0),
      until: new Date(),
      filters: { container: [id] },
    }))
      events.push(Action);
    t.deepEqual(events, ['create', 'extract-to-dir', 'archive-path']);
  });
});

test('an archive that is left, or a source that fails, ends the copy and lets go of the container', async (t) => {
  await withEngine(async ({ engine }) => {
    const { id } = await engine.create({ image: 'busybox', network: 'none', command: ['true'] });
    const large = tar(file('large', 'x'.repeat(4 << 20)));
    await engine.copyTo(id, '/', Readable.from([large]));
    const { archive } = await engine.copyFrom(id, '/large');
    await new Promise((resolve) => archive.once('readable', resolve));
    archive.destroy();
    const broken = Readable.from(
      (async function* () {
        yield large.subarray(0, 1 << 20);
        throw new Error('the source failed');
      })(),
    );
    await t.throwsAsync(engine.copyTo(id, '/tmp', broken), { message: 'the source failed' });
    await t.throwsAsync(engine.statPath(id, '/tmp/large'), { message: /Could not find the file/ });
    await engine.start(id);
    t.is(await engine.wait(id), 0);
  });
});

test('copyOut and copyIn tell the size and the place', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'tsrun-copy-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  await withEngine(async ({ engine }) => {
    const { id } = await engine.create({ image: 'busybox', network: 'none', command: ['true'] });
    t.deepEqual(await engine.copyOut(id, '/etc/group', dir), { size: 2048, path: dir });
    t.true(existsSync(join(dir, 'group')));
    const { size, path } = await engine.copyIn(join(dir, 'group'), id, '/tmp/new');
    t.deepEqual([size, path], [2048, '/tmp/new']);
    await engine.copyOut(id, '/tmp/new', join(dir, 'back'));
    t.is(readFileSync(join(dir, 'back'), 'utf8'), readFileSync(join(dir, 'group'), 'utf8'));
  });
});
