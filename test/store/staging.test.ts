import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { TsrunError } from '../../src/errors.js';
import { readJson, writeFileAtomic } from '../../src/store/atomic.js';
import { digestOf, publishBlob, readBlob } from '../../src/store/blobs.js';
import { IngestFile } from '../../src/store/ingest.js';
import { withStorageLock } from '../../src/store/locks.js';
import { openStore } from '../../src/store/open.js';
import { leasedNames, moveToTrash, StagingDir, sweep, sweepIngest } from '../../src/store/staging.js';
import { testStore } from '../helpers/image-store.js';

const blob = (text: string) => ({ digest: digestOf(text), size: text.length });

test('what is missing of a new store is written under its lock, where no sweep takes it for abandoned', async (t) => {
  const { store, remove } = await testStore();
  t.teardown(remove);
  rmSync(store.paths.ociLayout);
  let opened: Promise<unknown> = Promise.resolve();
  await withStorageLock(store.paths, store.native, 'exclusive', async () => {
    opened = openStore(store.paths.root, store);
    for (let i = 0; i < 500; i++) await new Promise(setImmediate);
    t.deepEqual(readdirSync(store.paths.oci).sort(), ['blobs', 'index.json']);
  });
  await opened;
  t.deepEqual(readJson(store.paths.ociLayout), { imageLayoutVersion: '1.0.0' });
});

test('a store is private, complete, and opened twice the same', async (t) => {
  const { store, remove } = await testStore();
  t.teardown(remove);
  const { root } = store.paths;
  t.is(statSync(root).mode & 0o777, 0o700);
  t.deepEqual(readdirSync(root).sort(), [
    'containers',
    'layers',
    'names',
    'oci',
    'staging',
    'storage.lock',
    'trash',
    'volumes',
  ]);
  t.deepEqual(readJson(store.paths.ociLayout), { imageLayoutVersion: '1.0.0' });
  t.deepEqual(readdirSync(store.paths.initLayer).sort(), ['.dockerenv', 'dev', 'etc', 'proc', 'sys']);
  t.is(statSync(join(store.paths.initLayer, 'etc')).mode & 0o7777, 0o755);
  t.is((await openStore(root, store)).root, root);
  t.deepEqual(readdirSync(store.paths.staging), ['ingest']);
});

test('several first commands at once make one store', async (t) => {
  const { store, remove } = await testStore();
  t.teardown(remove);
  const root = join(store.paths.staging, 'inner');
  const opened = await Promise.all([1, 2, 3, 4].map(() => openStore(root, store)));
  t.is(opened.length, 4);
  t.deepEqual(readdirSync(join(root, 'layers')), ['init-v1']);
});

test('a directory that is no store is left alone', async (t) => {
  const { store, remove } = await testStore();
  const root = mkdtempSync(join(tmpdir(), 'tsrun-foreign-'));
  t.teardown(() => {
    remove();
    rmSync(root, { recursive: true });
  });
  writeFileSync(join(root, 'mine'), '');
  const error = await t.throwsAsync<TsrunError>(openStore(root, store));
  t.is(error?.message, `${root} is not empty and is not a tsrun store`);
  t.deepEqual(readdirSync(root), ['mine']);
});

test('a file is the old or the new one, and no temporary file stays', async (t) => {
  const { store, remove } = await testStore();
  t.teardown(remove);
  const path = join(store.paths.root, 'x.json');
  await writeFileAtomic(path, '1');
  await writeFileAtomic(path, '22', { mode: 0o644 });
  t.is(readJson(path), 22);
  t.is(statSync(path).mode & 0o777, 0o644);
  const missing = await t.throwsAsync<TsrunError>(writeFileAtomic(join(store.paths.root, 'no', 'x'), ''));
  t.is(missing?.errno, 'ENOENT');
  mkdirSync(join(store.paths.root, 'dir'));
  await t.throwsAsync(writeFileAtomic(join(store.paths.root, 'dir'), ''));
  t.false(readdirSync(store.paths.root).some((name) => name.endsWith('.tmp')));
});

test('the exclusive lock excludes, also within one process; shared ones do not exclude each other', async (t) => {
  const { store, remove } = await testStore();
  t.teardown(remove);
  const order: string[] = [];
  let inside = 0;
  const enter = (mode: 'shared' | 'exclusive') =>
    withStorageLock(store.paths, store.native, mode, async () => {
      inside += 1;
      order.push(`${mode} ${inside}`);
      await new Promise((resolve) => setImmediate(resolve));
      inside -= 1;
    });
  await Promise.all(Array.from({ length: 12 }, () => enter('exclusive')));
  t.deepEqual(new Set(order), new Set(['exclusive 1']));
  let release = () => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const first = withStorageLock(store.paths, store.native, 'shared', () => gate);
  await enter('shared');
  t.is(order.at(-1), 'shared 1');
  release();
  await first;
});

test('a sweep takes what is abandoned and nothing that is held', async (t) => {
  const { store, remove } = await testStore();
  t.teardown(remove);
  const { staging, trash, ingest, oci } = store.paths;
  const held = await StagingDir.create(store);
  mkdirSync(join(staging, 'dead', 'sub'), { recursive: true });
  writeFileSync(join(staging, 'dead.lock'), '');
  writeFileSync(join(staging, 'lonely.lock'), '');
  mkdirSync(join(trash, 'gone'));
  const [young, old] = ['a', 'b'].map((digit) => join(ingest, digit.repeat(64))) as [string, string];
  for (const path of [young, old]) writeFileSync(path, 'part');
  utimesSync(old, 0, Date.now() / 1000 - 25 * 3600);
  writeFileSync(join(oci, '.index.json.0.tmp'), '');
  const download = await IngestFile.open(store, blob('x'));
  await sweep(store);
  t.deepEqual(
    readdirSync(staging).sort(),
    [held.dir, `${held.dir}.lock`, ingest].map((p) => p.slice(staging.length + 1)).sort(),
  );
  t.deepEqual(readdirSync(trash), []);
  t.deepEqual(readdirSync(ingest).sort(), [digestOf('x').slice(7), 'a'.repeat(64)].sort());
  t.false(readdirSync(oci).some((name) => name.endsWith('.tmp')));
  await download.close();
  await held.discard();
  t.deepEqual(readdirSync(staging), ['ingest']);
  t.deepEqual(readdirSync(ingest), ['a'.repeat(64)]);
  await sweepIngest(store, Number.POSITIVE_INFINITY);
  t.deepEqual(readdirSync(ingest), []);
});

test('leases last as long as the work', async (t) => {
  const { store, remove } = await testStore();
  t.teardown(remove);
  const work = await StagingDir.create(store);
  await work.lease(['one', 'two']);
  await work.lease(['three']);
  t.deepEqual(leasedNames(store), new Set(['one', 'two', 'three']));
  work.release();
  t.deepEqual(leasedNames(store), new Set());
});

test('the trash takes a tree in one step, and accepts that it is gone', async (t) => {
  const { store, remove } = await testStore();
  t.teardown(remove);
  const tree = join(store.paths.root, 'tree');
  mkdirSync(join(tree, 'sub'), { recursive: true });
  const entry = await moveToTrash(store, tree);
  t.false(existsSync(tree));
  t.true(existsSync(join(entry?.dir ?? '', 'sub')));
  await entry?.discard();
  t.deepEqual(readdirSync(store.paths.trash), []);
  t.is(await moveToTrash(store, tree), undefined);
});

test('a blob is what its name says, or an error', async (t) => {
  const { store, remove } = await testStore();
  t.teardown(remove);
  const file = await IngestFile.open(store, blob('hello'));
  await file.write(Buffer.from('wrong'));
  t.false(file.matches());
  await file.restart();
  await file.write(Buffer.from('hel'));
  await file.write(Buffer.from('lo'));
  t.true(file.matches());
  await file.publish();
  await file.close();
  t.is(readBlob(store.paths, digestOf('hello')).toString(), 'hello');
  const other = join(store.paths.staging, 'other');
  writeFileSync(other, 'damaged');
  await publishBlob(store.paths, other, digestOf('good'));
  t.throws(() => readBlob(store.paths, digestOf('good')), { message: /is damaged/ });
  t.throws(() => readBlob(store.paths, digestOf('none')), { message: /is missing/ });
});

test('an interrupted download goes on where it ended, whoever goes on', async (t) => {
  const { store, remove } = await testStore();
  t.teardown(remove);
  const first = await IngestFile.open(store, blob('hello'));
  await first.write(Buffer.from('hel'));
  await first.close();
  const second = await IngestFile.open(store, blob('hello'));
  t.is(second.offset, 3);
  await second.write(Buffer.from('lo'));
  t.true(second.matches());
  await second.close();
  const shorter = await IngestFile.open(store, { ...blob('hello'), size: 4 });
  t.is(shorter.offset, 0, 'longer than the blob: not a part of it');
  await shorter.close();
  t.deepEqual(readdirSync(store.paths.ingest), [], 'nothing is kept of nothing');
});

test('who follows a download sees it grow, and is told when it was wrong', async (t) => {
  const { store, remove } = await testStore();
  t.teardown(remove);
  const file = await IngestFile.open(store, blob('hello'));
  const { fd, news } = file.follow();
  const first = news.next();
  await file.write(Buffer.from('he'));
  await first;
  t.is(readFileSync(fd).toString(), 'he');
  const rest = news.next();
  await file.write(Buffer.from('llo'));
  await rest;
  t.is(readFileSync(fd).toString(), 'llo', 'from where it was');
  const end = news.next();
  await file.publish();
  await file.close();
  t.true((await end).done);
  closeSync(fd);

  const again = await IngestFile.open(store, blob('other'));
  await again.write(Buffer.from('x'));
  const restarted = again.follow();
  await restarted.news.next();
  const refused = restarted.news.next();
  await again.restart();
  await t.throwsAsync(refused, { message: /began again/ });
  await again.write(Buffer.from('y'));
  const given = again.follow();
  await given.news.next();
  const up = given.news.next();
  await again.close();
  await t.throwsAsync(up, { message: /given up/ });
  for (const { fd: open } of [restarted, given]) closeSync(open);
});

test('what the disk refuses is told, at the latest when the blob is published', async (t) => {
  const { store, remove } = await testStore();
  t.teardown(remove);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1M', 'tmpfs', store.paths.ingest]);
  t.teardown(() => execFileSync('umount', [store.paths.ingest]));
  const file = await IngestFile.open(store, { digest: digestOf('x'), size: 10 << 20 });
  const full = async () => {
    for (let i = 0; i < 3; i += 1) await file.write(Buffer.alloc(1 << 20, i));
    await file.publish();
  };
  await t.throwsAsync(full(), { code: 'SYSTEM', message: /no space left on device/i });
  await t.throwsAsync(file.write(Buffer.from('x')), { code: 'SYSTEM' });
  await file.close();
  t.is(statSync(join(store.paths.ingest, digestOf('x').slice(7))).size, 1 << 20, 'what found room is kept');
});

test('one at a time at a blob', async (t) => {
  const { store, remove } = await testStore();
  t.teardown(remove);
  const first = await IngestFile.open(store, blob('b'));
  let got = false;
  const second = IngestFile.open(store, blob('b')).then((file) => {
    got = true;
    return file;
  });
  await new Promise((resolve) => setImmediate(resolve));
  t.false(got);
  await first.close();
  await (await second).close();
  const stop = new AbortController();
  const third = await IngestFile.open(store, blob('b'));
  const fourth = IngestFile.open(store, blob('b'), stop.signal);
  stop.abort(new Error('enough'));
  await t.throwsAsync(fourth, { message: 'enough' });
  await third.close();
});
