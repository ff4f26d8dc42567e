import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { TsrunError } from '../../src/errors.js';
import { packAndUnpack } from '../../src/layer/pack.js';
import { apply, emptyDir, HELPER, readTree, type Tree, tempDir } from './fixture.js';

/** A writable part over one layer: a change, an addition, a removal, a hard link, an opaque directory. */
async function changed(t: ExecutionContext) {
  const base = tempDir(t);
  const [lower, upper] = [emptyDir(base), emptyDir(base)];
  execFileSync('sh', ['-ec', 'mkdir -p etc opaque; echo 1 >etc/kept; echo 1 >etc/gone; echo 1 >opaque/old'], {
    cwd: lower,
  });
  const script = `
    mkdir -p etc opaque new; echo 2 >etc/added; ln etc/added new/linked; mknod etc/gone c 0 0; chmod 4711 new/linked
    setfattr -n trusted.overlay.opaque -v y opaque; echo 2 >opaque/new; truncate -s 3000000 new/large`;
  execFileSync('sh', ['-ec', script], { cwd: upper });
  return { base, lower, upper };
}

function toFile<T>(path: string, body: (fd: number) => Promise<T>): Promise<T> {
  const fd = openSync(path, 'w');
  return body(fd).finally(() => closeSync(fd));
}

test('what is packed is unpacked beside it, as if it were applied afterwards', async (t) => {
  const { base, lower, upper } = await changed(t);
  const [target, after] = [emptyDir(base), emptyDir(base)];
  const path = join(base, 'layer.tar');
  const { unpacked, ...packed } = await toFile(path, (output) =>
    packAndUnpack({ helperPath: HELPER, upper, lower: [lower], output }, target, [lower]),
  );
  const archive = readFileSync(path);
  const digest = `sha256:${createHash('sha256').update(archive).digest('hex')}`;
  t.deepEqual([packed.diffId, unpacked.diffId, unpacked.digest], [digest, digest, digest]);
  t.deepEqual([packed.tarSize, unpacked.tarSize], [archive.length, archive.length]);
  t.deepEqual(await apply(archive, after, [lower]), unpacked);
  // A whiteout's time means nothing.
  const tree = ({ 'etc/gone': gone, ...rest }: Tree) => [gone?.startsWith('char 0 0:0'), rest];
  t.deepEqual(tree(readTree(target)), tree(readTree(after)));
});

test('a disk that is full where it unpacks is the failure, not the pipe that it breaks', async (t) => {
  const { base, lower, upper } = await changed(t);
  const target = emptyDir(base);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1M', 'tmpfs', target]);
  t.teardown(() => execFileSync('umount', [target]));
  const error = await t.throwsAsync(
    toFile('/dev/null', (output) =>
      packAndUnpack({ helperPath: HELPER, upper, lower: [lower], output }, target, [lower]),
    ),
    { instanceOf: TsrunError },
  );
  t.deepEqual([error?.errno, error?.step, error?.subject], ['ENOSPC', 'layer.entry', 'new/large']);
});

test('a disk that is full where the archive goes is the failure, and half a tree is none', async (t) => {
  const { base, lower, upper } = await changed(t);
  const target = emptyDir(base);
  const error = await t.throwsAsync(
    toFile('/dev/full', (output) =>
      packAndUnpack({ helperPath: HELPER, upper, lower: [lower], output }, target, [lower]),
    ),
    { instanceOf: TsrunError },
  );
  t.deepEqual([error?.errno, error?.step], ['ENOSPC', 'layer.write']);
});

test('a cancelled one leaves no process that still unpacks', async (t) => {
  const { base, lower, upper } = await changed(t);
  // Longer than the pipes hold, so that it is under way when it is cancelled.
  writeFileSync(join(upper, 'larger'), Buffer.alloc(64 << 20));
  const target = emptyDir(base);
  const controller = new AbortController();
  const fifo = join(base, 'fifo');
  execFileSync('mkfifo', [fifo]);
  const fd = openSync(fifo, 'r+');
  t.teardown(() => closeSync(fd));
  const packed = packAndUnpack(
    { helperPath: HELPER, upper, lower: [lower], output: fd, signal: controller.signal },
    target,
    [lower],
  );
  controller.abort();
  await t.throwsAsync(packed, { code: 'CANCELLED' });
  // Nobody has it as its root any more.
  t.notThrows(() => execFileSync('rm', ['-r', target]));
  const roots = execFileSync('sh', ['-c', 'ls -l /proc/[0-9]*/cwd 2>/dev/null || true'], {
    encoding: 'utf8',
  });
  t.false(roots.includes(target));
});
