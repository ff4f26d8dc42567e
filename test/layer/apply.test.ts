import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, lstatSync, openSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import { TsrunError } from '../../src/errors.js';
import { applyLayer } from '../../src/layer/apply.js';
import { ENGINE_VERB } from '../../src/native/protocol.js';
import {
  apply,
  emptyDir,
  HELPER,
  isOpaque,
  isWhiteout,
  mergedNames,
  namesIn,
  readTree,
  readXattrs,
  tempDir,
} from './fixture.js';
import { dir, entry, file, hardLink, meta, paxHeader, symlink, tar } from './tar-builder.js';

const sha256 = (bytes: Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const zstd = (bytes: Buffer) => execFileSync('zstd', ['-c', '-q'], { input: bytes });

test('both digests, sizes and counts, whatever the compression', async (t) => {
  const base = tempDir(t);
  const plain = tar(
    dir('etc'),
    file('etc/passwd', 'root'),
    file('big', 'x'.repeat(300_000)),
    symlink('link', 'etc/passwd'),
  );
  const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
  const archives = [
    plain,
    gzipSync(plain),
    Buffer.concat([gzipSync(plain.subarray(0, 1000)), gzipSync(plain.subarray(1000))]),
    zstd(plain),
    Buffer.concat([
      skippable,
      zstd(plain.subarray(0, 5000)),
      skippable,
      zstd(plain.subarray(5000)),
      skippable,
    ]),
  ];
  for (const archive of archives) {
    const target = emptyDir(base);
    t.deepEqual(await apply(archive, target), {
      digest: sha256(archive),
      diffId: sha256(plain),
      size: archive.length,
      tarSize: plain.length,
      entries: 4,
      contentSize: 300_014,
      standalone: true,
    });
    t.is(readFileSync(join(target, 'etc/passwd'), 'utf8'), 'root');
    t.is(lstatSync(join(target, 'big')).size, 300_000);
  }
});

test('an open descriptor and bytes that trickle in give the same layer', async (t) => {
  const base = tempDir(t);
  const archive = gzipSync(tar(dir('d'), file('d/x', 'y'.repeat(5000))));
  const path = join(base, 'layer.tar.gz');
  writeFileSync(path, archive);
  const fd = openSync(path, 'r');
  const first = await applyLayer({ helperPath: HELPER, input: fd, target: emptyDir(base) });
  closeSync(fd);
  const slices = Array.from({ length: archive.length }, (_, at) => archive.subarray(at, at + 1));
  const seen: number[] = [];
  const input = Readable.from(slices);
  const second = await applyLayer({
    helperPath: HELPER,
    input,
    target: emptyDir(base),
    onProgress: (bytes) => seen.push(bytes),
  });
  t.deepEqual(first, second);
  t.is(seen.at(-1), archive.length);
});

test('every attribute is kept: owner, mode, time, links, devices, extended attributes', async (t) => {
  const base = tempDir(t);
  const target = emptyDir(base);
  const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex');
  await apply(
    tar(
      dir('d', { mode: 0o2750, uid: 7, gid: 8, pax: { mtime: '1000000000.123456789' } }),
      file('d/ping', 'x', {
        mode: 0o4755,
        pax: {
          uid: '3000000',
          gid: '4000000000',
          mtime: '-1.25',
          'SCHILY.xattr.security.capability': capability,
          'SCHILY.xattr.trusted.note': Buffer.from([0, 1, 2, 255]),
        },
      }),
      hardLink('d/ping6', 'd/ping'),
      symlink('d/link', '/absolute/../target'),
      entry({ name: 'd/null', type: '3', major: 1, minor: 3, mode: 0o666 }),
      entry({ name: 'd/sda', type: '4', major: 8, minor: 300, mode: 0o660, gid: 6 }),
      entry({ name: 'd/fifo', type: '6', mode: 0o600 }),
      dir('locked', { mode: 0 }),
      file('locked/in', 'z', { mode: 0 }),
      dir('tmp', { mode: 0o1777 }),
    ),
    target,
  );
  const at = (name: string) => lstatSync(join(target, name), { bigint: true });
  t.is(at('d').mode & 0o7777n, 0o2750n);
  t.is(at('d').mtimeNs, 1_000_000_000_123_456_789n);
  t.deepEqual([at('d/ping').uid, at('d/ping').gid], [3_000_000n, 4_000_000_000n]);
  t.is(at('d/ping').mode & 0o7777n, 0o4755n);
  t.is(at('d/ping').mtimeNs, -1_250_000_000n);
  t.is(at('d/ping').ino, at('d/ping6').ino);
  t.is(readlinkSync(join(target, 'd/link')), '/absolute/../target');
  t.is(at('d/link').mtimeNs, 1_000_000_000_000_000_000n);
  t.is(at('d/null').rdev, 0x103n);
  t.is(at('d/sda').rdev, (8n << 8n) | (300n & 0xffn) | ((300n & ~0xffn) << 12n));
  t.true(at('d/fifo').isFIFO());
  t.is(at('locked').mode & 0o7777n, 0n);
  t.is(at('tmp').mode & 0o7777n, 0o1777n);
  const attributes = readXattrs(target);
  t.true(attributes.includes(`security.capability=0x${capability.toString('hex')}`));
  t.true(attributes.includes('trusted.note=0x000102ff'));
});

test('long names: ustar prefix, PAX, GNU L and K', async (t) => {
  const target = emptyDir(tempDir(t));
  const part = 'p'.repeat(90);
  const long = `${part}/${part}/${part}`;
  await apply(
    tar(
      dir(part),
      dir(part, { patches: [[345, part]] }),
      paxHeader({ path: `${long}` }),
      file('short', 'pax'),
      meta('L', Buffer.from(`${long}gnu\0`)),
      meta('K', Buffer.from(`${long}\0`)),
      hardLink('short', 'short'),
    ),
    target,
  );
  t.is(readFileSync(join(target, long), 'utf8'), 'pax');
  t.is(readFileSync(join(target, `${long}gnu`), 'utf8'), 'pax');
});

test('sparse files of every format come out as GNU tar reads them', async (t) => {
  const base = tempDir(t);
  const source = emptyDir(base);
  execFileSync(
    'sh',
    [
      '-ec',
      'truncate -s 40M s; for i in 1 3 5 7 9 11 13; do printf data$i | dd of=s bs=1M seek=$i conv=notrunc status=none; done',
    ],
    { cwd: source },
  );
  const content = readFileSync(join(source, 's'));
  for (const format of [
    'gnu',
    'posix --sparse-version=0.0',
    'posix --sparse-version=0.1',
    'posix --sparse-version=1.0',
  ]) {
    const archive = execFileSync('sh', ['-c', `tar --sparse --format=${format} -cf - s`], {
      cwd: source,
      maxBuffer: 1 << 28,
    });
    t.true(archive.length < 1 << 20);
    const target = emptyDir(base);
    const result = await apply(archive, target);
    t.is(result.contentSize, content.length);
    t.true(readFileSync(join(target, 's')).equals(content), format);
    t.true(lstatSync(join(target, 's')).blocks < 4096, `${format} is written with its holes`);
  }
});

test('whiteouts hide what is below and never an entry of their own layer, in any order', async (t) => {
  const base = tempDir(t);
  const lower = emptyDir(base);
  await apply(
    tar(dir('d'), file('d/old'), file('d/both'), dir('d/sub'), file('d/sub/old'), file('gone')),
    lower,
    [],
  );
  const orders = [
    [
      file('.wh.gone'),
      dir('d'),
      file('d/.wh.both'),
      file('d/both', 'new'),
      file('d/.wh.sub'),
      dir('d/sub'),
      file('d/sub/new'),
    ],
    [
      dir('d'),
      file('d/both', 'new'),
      file('d/.wh.both'),
      dir('d/sub'),
      file('d/sub/new'),
      file('d/.wh.sub'),
      file('.wh.gone'),
    ],
  ];
  for (const parts of orders) {
    const layer = emptyDir(base);
    t.true((await apply(tar(...parts), layer)).standalone);
    t.true(isWhiteout(join(layer, 'gone')));
    t.is(readFileSync(join(layer, 'd/both'), 'utf8'), 'new');
    t.true(isOpaque(join(layer, 'd/sub')));
    t.deepEqual(mergedNames([layer, lower], base), ['d', 'd/both', 'd/old', 'd/sub', 'd/sub/new']);
  }
});

test('an opaque directory hides what is below, also when its mark comes last or beside whiteouts', async (t) => {
  const base = tempDir(t);
  const lower = emptyDir(base);
  await apply(tar(dir('d'), file('d/one'), file('d/two')), lower, []);
  for (const parts of [
    [dir('d'), file('d/.wh..wh..opq'), file('d/new')],
    [dir('d'), file('d/new'), file('d/.wh.one'), file('d/.wh..wh..opq'), file('d/.wh.two')],
  ]) {
    const layer = emptyDir(base);
    await apply(tar(...parts), layer);
    t.true(isOpaque(join(layer, 'd')));
    t.deepEqual(namesIn(layer), ['d', 'd/new']);
    t.deepEqual(mergedNames([layer, lower], base), ['d', 'd/new']);
  }
});

test('an opaque root empties everything below', async (t) => {
  const base = tempDir(t);
  const lower = emptyDir(base);
  await apply(tar(dir('a'), file('a/x'), file('b'), dir('c')), lower, []);
  const archive = tar(file('.wh..wh..opq'), dir('a'), file('a/new'));
  t.false((await apply(archive, emptyDir(base))).standalone);
  const layer = emptyDir(base);
  await apply(archive, layer, [lower]);
  t.deepEqual(mergedNames([layer, lower], base), ['a', 'a/new']);
});

test('a file that becomes a directory hides the directory below', async (t) => {
  const base = tempDir(t);
  const lower = emptyDir(base);
  await apply(tar(dir('x'), file('x/old')), lower, []);
  const layer = emptyDir(base);
  await apply(tar(file('x'), dir('x'), file('x/new')), layer);
  t.deepEqual(mergedNames([layer, lower], base), ['x', 'x/new']);
});

test('a directory over a directory of its layer changes its attributes only', async (t) => {
  const target = emptyDir(tempDir(t));
  await apply(
    tar(
      dir('d', { mode: 0o700, pax: { 'SCHILY.xattr.trusted.a': '1' } }),
      file('d/x'),
      dir('d', { mode: 0o711, mtime: 5 }),
    ),
    target,
  );
  t.deepEqual(namesIn(target), ['d', 'd/x']);
  t.is(readTree(target).d, 'dir 711 0:0 5000000000');
  t.is(readXattrs(target), '');
});

test('what depends on the layers below is noticed, and right when they are given', async (t) => {
  const base = tempDir(t);
  const bottom = emptyDir(base);
  const middle = emptyDir(base);
  await apply(
    tar(
      dir('usr', { mode: 0o711, mtime: 10 }),
      dir('usr/lib', { mode: 0o750, uid: 5, mtime: 20, pax: { 'SCHILY.xattr.trusted.a': '1' } }),
      file('usr/lib/libc', 'libc', { uid: 6, mode: 0o4755, mtime: 30 }),
      symlink('lib', 'usr/lib'),
      dir('gone', { mode: 0o700 }),
      dir('opaque'),
      dir('opaque/sub', { mode: 0o700 }),
    ),
    bottom,
    [],
  );
  await apply(tar(file('.wh.gone'), dir('opaque'), file('opaque/.wh..wh..opq')), middle, [bottom]);
  const archive = tar(
    file('lib/new', 'through the link'),
    file('gone/x'),
    file('opaque/sub/x'),
    hardLink('copy', 'lib/libc'),
    dir('usr', { mode: 0o755 }),
  );
  const alone = await apply(archive, emptyDir(base));
  t.false(alone.standalone);
  const layer = emptyDir(base);
  const result = await apply(archive, layer, [middle, bottom]);
  t.deepEqual(result, alone);
  const tree = readTree(layer);
  t.deepEqual(namesIn(layer), [
    'copy',
    'gone',
    'gone/x',
    'opaque',
    'opaque/sub',
    'opaque/sub/x',
    'usr',
    'usr/lib',
    'usr/lib/libc',
    'usr/lib/new',
  ]);
  t.is(tree['usr/lib'], 'dir 750 5:0 20000000000');
  t.is(tree.copy, `file 4755 6:0 30000000000 links=2 ${Buffer.from('libc').toString('base64')}`);
  t.is(tree.copy, tree['usr/lib/libc']);
  t.regex(tree.gone ?? '', /^dir 755 0:0/);
  t.regex(tree['opaque/sub'] ?? '', /^dir 755 0:0/);
  t.regex(readXattrs(layer), /file: usr\/lib\ntrusted.a=0x31/);
});

test('a first layer may leave parents out, but is then not for use above others', async (t) => {
  const target = emptyDir(tempDir(t));
  const result = await apply(tar(file('a/b/c', 'x')), target, []);
  t.false(result.standalone);
  t.regex(readTree(target)['a/b'] ?? '', /^dir 755 0:0/);
});

test('a hard link to nothing names the entry', async (t) => {
  const error = await t.throwsAsync(apply(tar(hardLink('h', 'nowhere')), emptyDir(tempDir(t)), []), {
    instanceOf: TsrunError,
  });
  t.is(error?.code, 'CONTENT');
  t.is(error?.message, 'failed to register layer: nowhere: no such file or directory');
});

test("a full disk is the machine's fault, with its errno", async (t) => {
  const base = tempDir(t);
  const target = emptyDir(base);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1M', 'tmpfs', target]);
  t.teardown(() => execFileSync('umount', [target]));
  const error = await t.throwsAsync(apply(tar(file('big', 'x'.repeat(4 << 20))), target), {
    instanceOf: TsrunError,
  });
  t.deepEqual(
    [error?.code, error?.errno, error?.step, error?.subject],
    ['SYSTEM', 'ENOSPC', 'layer.entry', 'big'],
  );
  t.is(error?.message, 'failed to register layer: big: no space left on device');
});

test('a broken source is its own error, and never a short layer', async (t) => {
  const base = tempDir(t);
  const input = new PassThrough();
  const applied = applyLayer({ helperPath: HELPER, input, target: emptyDir(base) });
  input.write(tar(dir('d')).subarray(0, 512));
  input.destroy(new Error('connection reset by peer'));
  await t.throwsAsync(applied, { message: 'connection reset by peer' });
});

test('cancelling kills the helper', async (t) => {
  const controller = new AbortController();
  const input = new PassThrough();
  const applied = applyLayer({
    helperPath: HELPER,
    input,
    target: emptyDir(tempDir(t)),
    signal: controller.signal,
  });
  input.write(dir('d'));
  controller.abort();
  await t.throwsAsync(applied, { instanceOf: TsrunError, code: 'CANCELLED' });
});

test('a bad entry is reported although more input is awaited', async (t) => {
  const input = new PassThrough();
  const applied = applyLayer({ helperPath: HELPER, input, target: emptyDir(tempDir(t)) });
  input.write(Buffer.concat([file('../x'), Buffer.alloc(512 * 1024)]));
  await t.throwsAsync(applied, { instanceOf: TsrunError, code: 'CONTENT' });
});

test('in the jail nothing is opened but the target', async (t) => {
  const base = tempDir(t);
  const target = emptyDir(base);
  const archive = join(base, 'layer.tar.gz');
  const trace = join(base, 'trace');
  writeFileSync(archive, gzipSync(tar(dir('d'), file('d/x', 'y'))));
  const fd = openSync(archive, 'r');
  execFileSync(
    'strace',
    [
      '-f',
      '-qq',
      '-e',
      'trace=open,openat,openat2,execve,pivot_root',
      '-o',
      trace,
      HELPER,
      ENGINE_VERB,
      'apply',
      '--target',
      target,
    ],
    { stdio: [fd, 'ignore', 'pipe'] },
  );
  closeSync(fd);
  const lines = readFileSync(trace, 'utf8').split('\n').filter(Boolean);
  const pivot = lines.findIndex((line) => line.includes('pivot_root'));
  t.true(pivot > 0);
  for (const line of lines.slice(pivot + 1)) {
    t.regex(line, /openat\(AT_FDCWD, "\/", |openat2?\(\d+, "(d|\.|x)"/, line);
  }
});
