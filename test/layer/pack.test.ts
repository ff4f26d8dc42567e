import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, createWriteStream, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import test from 'ava';
import { diffTree, type PackRequest, packLayer } from '../../src/layer/pack.js';
import type { PackResult } from '../../src/native/protocol.js';
import {
  apply,
  emptyDir,
  HELPER,
  inOverlay,
  isOpaque,
  isWhiteout,
  mergedNames,
  readTree,
  readXattrs,
  tempDir,
} from './fixture.js';
import { dir, file, hardLink, symlink, tar } from './tar-builder.js';

async function pack(
  request: Omit<PackRequest, 'helperPath' | 'output'>,
): Promise<{ archive: Buffer; result: PackResult }> {
  const chunks: Buffer[] = [];
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  const result = await packLayer({ helperPath: HELPER, output, ...request });
  return { archive: Buffer.concat(chunks), result };
}

async function diff(upper: string, lower: string[], stubs?: string): Promise<string[]> {
  const changes = await diffTree({ helperPath: HELPER, upper, lower, stubs });
  return changes.map(({ kind, path }) => `${kind} ${Buffer.from(path).toString('latin1')}`);
}

/** Names in an archive, as GNU tar reads them. */
function listed(archive: Buffer): string[] {
  return execFileSync('tar', ['-tf', '-'], {
    input: archive,
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'ignore'],
  })
    .split('\n')
    .filter(Boolean);
}

/** A tree with a node of every kind and every attribute that a tar can carry. */
const EVERYTHING = `
  mkdir -p a/b etc tmp empty; chmod 1777 tmp; chmod 000 empty
  printf root > etc/passwd; chmod 4755 etc/passwd; ln etc/passwd a/hard; ln -s ../etc/passwd a/link; ln -P a/link a/link2
  printf x > a/b/ping; chown 3000000:4000000000 a/b/ping; setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 a/b/ping
  setfattr -n trusted.note -v 0x00ff a/b; setfattr -n user.note -v 'text' etc/passwd
  mknod dev1 c 1 3; mknod dev2 b 254 70000; mkfifo fifo; chown 5:6 fifo
  printf y > "$(printf 'raw\\377name')"; printf z > "new
line"
  long=$(printf 'l%.0s' $(seq 120)); mkdir -p $long/$long; printf long > $long/$long/file; ln -s $long/$long/$long/$long tolong; ln $long/$long/file hardlong
  truncate -s 3M holes; printf end >> holes; head -c 300000 /dev/zero > zeros
  touch -d '1969-12-31 23:59:58.25Z' a/b/ping; touch -h -d '2001-02-03 04:05:06.123456789Z' a/link; touch -d '2300-01-01Z' zeros
  find . -type d -exec touch -d '2020-01-01 00:00:00.5Z' {} +
`;

test("what is packed unpacks to the same tree, here and by GNU tar; GNU tar's archive too", async (t) => {
  const base = tempDir(t);
  const source = emptyDir(base);
  execFileSync('sh', ['-ec', EVERYTHING], { cwd: source });
  const { archive, result } = await pack({ upper: source });
  t.is(result.diffId, `sha256:${createHash('sha256').update(archive).digest('hex')}`);
  t.is(result.tarSize, archive.length);
  t.is(result.skippedSockets, 0);

  const ours = emptyDir(base);
  const applied = await apply(archive, ours);
  t.is(applied.diffId, result.diffId);
  t.is(applied.contentSize, result.contentSize);
  t.is(applied.entries, result.entries);
  t.deepEqual(readTree(ours), readTree(source));
  t.is(readXattrs(ours), readXattrs(source));

  const gnu = emptyDir(base);
  const flags = ['--numeric-owner', '--xattrs', '--xattrs-include=*'];
  execFileSync('tar', ['-xpf', '-', ...flags, '-C', gnu], { input: archive });
  t.deepEqual(readTree(gnu), readTree(source));
  t.is(readXattrs(gnu), readXattrs(source));

  const theirs = execFileSync(
    'tar',
    ['-cf', '-', '--format=posix', '--sparse', ...flags, '-C', source, '.'],
    { maxBuffer: 1 << 28 },
  );
  const back = emptyDir(base);
  await apply(theirs, back);
  t.deepEqual(readTree(back), readTree(source));
  t.is(readXattrs(back), readXattrs(source));
});

test('the same tree gives the same bytes, in ustar where that says it all', async (t) => {
  const base = tempDir(t);
  const copies = [
    ['b', 'a', 'c'],
    ['c', 'b', 'a'],
  ].map((order) => {
    const copy = emptyDir(base);
    for (const name of order) writeFileSync(join(copy, name), name);
    execFileSync('touch', ['-d', '2020-01-01Z', 'a', 'b', 'c'], { cwd: copy });
    return copy;
  });
  const [one, two] = await Promise.all(copies.map((upper) => pack({ upper })));
  t.true(one?.archive.equals(two?.archive ?? Buffer.alloc(0)));
  t.is(one?.archive.length, 3 * 1024 + 1024);
  t.deepEqual(listed(one?.archive ?? Buffer.alloc(0)), ['a', 'b', 'c']);
});

test('times are clamped when asked', async (t) => {
  const base = tempDir(t);
  const source = emptyDir(base);
  execFileSync(
    'sh',
    [
      '-ec',
      "printf x > old; printf x > new; touch -d '1990-01-01Z' old; touch -d '2020-01-01 00:00:00.5Z' new",
    ],
    { cwd: source },
  );
  const { archive } = await pack({ upper: source, clampMtime: 1_000_000_000 });
  const target = emptyDir(base);
  await apply(archive, target);
  t.regex(readTree(target).old ?? '', /^file 644 0:0 631152000000000000 /);
  t.regex(readTree(target).new ?? '', /^file 644 0:0 1000000000000000000 /);
});

test('sockets are left out and counted; a FIFO does not hang; a descriptor is written to', async (t) => {
  const base = tempDir(t);
  const source = emptyDir(base);
  execFileSync('python3', ['-c', 'import socket; socket.socket(socket.AF_UNIX).bind("s")'], { cwd: source });
  execFileSync('mkfifo', ['f'], { cwd: source });
  const path = join(base, 'out.tar');
  const fd = openSync(path, 'w');
  const result = await packLayer({ helperPath: HELPER, upper: source, output: fd });
  closeSync(fd);
  t.is(result.skippedSockets, 1);
  t.deepEqual(listed(readFileSync(path)), ['f']);
});

test('an output that fails is the error', async (t) => {
  const base = tempDir(t);
  const source = emptyDir(base);
  writeFileSync(join(source, 'f'), 'x'.repeat(1 << 20));
  const output = createWriteStream(join(base, 'missing', 'out.tar'));
  await t.throwsAsync(packLayer({ helperPath: HELPER, upper: source, output }), { code: 'ENOENT' });
});

/** A base of two layers and what a container does to it. */
const CHANGES = `
  echo new > etc/added; echo changed > etc/passwd; rm etc/removed; chmod 700 dir
  rm -r recreated; mkdir recreated; echo 2 > recreated/new
  rm -r deleted; mkdir newdir; mkdir newdir/sub; echo x > newdir/sub/file
  cat touched > /dev/null; touch -c -r touched touched
  rm file2dir; mkdir file2dir; echo x > file2dir/in; rm -r dir2file; echo x > dir2file
  mv etc/renamed etc/renamed2; ln etc/linked etc/linked2; rm link; ln -s other link
  setfattr -n trusted.note -v 1 etc/attribute; echo x > temporary; rm temporary; mkdir -p kept/deep; echo x > kept/deep/file
`;

async function changedContainer(t: Parameters<typeof tempDir>[0]) {
  const base = tempDir(t);
  const bottom = emptyDir(base);
  const middle = emptyDir(base);
  await apply(
    tar(
      dir('etc'),
      ...['passwd', 'removed', 'renamed', 'linked', 'attribute', 'ancient'].map((name) =>
        file(`etc/${name}`, name),
      ),
      dir('dir'),
      dir('recreated'),
      file('recreated/old1'),
      dir('recreated/old2'),
      file('recreated/old2/x'),
      dir('deleted'),
      file('deleted/x'),
      file('touched', 'touched'),
      file('file2dir'),
      dir('dir2file'),
      file('dir2file/x'),
      symlink('link', 'target'),
      dir('kept'),
      dir('kept/deep'),
      file('hard1', 'h'),
      hardLink('hard2', 'hard1'),
    ),
    bottom,
    [],
  );
  await apply(tar(dir('etc'), file('etc/.wh.ancient'), file('etc/middle')), middle, [bottom]);
  const upper = emptyDir(base);
  const work = emptyDir(base);
  const lower = [middle, bottom];
  inOverlay(lower, upper, work, CHANGES);
  return { base, lower, upper, work };
}

test('changes are listed as docker diff lists them', async (t) => {
  const { lower, upper } = await changedContainer(t);
  t.deepEqual(await diff(upper, lower), [
    'D /deleted',
    'C /dir',
    'C /dir2file',
    'C /etc',
    'A /etc/added',
    'C /etc/attribute',
    'A /etc/linked2',
    'C /etc/passwd',
    'D /etc/removed',
    'D /etc/renamed',
    'A /etc/renamed2',
    'C /file2dir',
    'A /file2dir/in',
    'C /kept',
    'C /kept/deep',
    'A /kept/deep/file',
    'C /link',
    'A /newdir',
    'A /newdir/sub',
    'A /newdir/sub/file',
    'C /recreated',
    'A /recreated/new',
    'D /recreated/old1',
    'D /recreated/old2',
  ]);
});

test('a committed layer over the same layers is the container', async (t) => {
  const { base, lower, upper, work } = await changedContainer(t);
  const { archive } = await pack({ upper, lower });
  const names = listed(archive);
  t.false(names.includes('touched'), 'what was put back is not packed');
  t.false(names.includes('./'));
  t.is(names[0], '.wh.deleted');
  t.deepEqual(names.slice(names.indexOf('recreated/')).slice(0, 2), ['recreated/', 'recreated/.wh..wh..opq']);
  t.false(names.includes('newdir/.wh..wh..opq'), 'nothing lies below a new directory');
  t.deepEqual(names.slice(names.indexOf('kept/')).slice(0, 3), ['kept/', 'kept/deep/', 'kept/deep/file']);

  const layer = emptyDir(base);
  t.true((await apply(archive, layer)).standalone);
  t.true(isWhiteout(join(layer, 'deleted')));
  t.true(isOpaque(join(layer, 'recreated')));
  const script =
    'find . -mindepth 1 -printf "%P %y %m %U %G %s %T@ %l %n\\n" -type f -exec sha256sum {} \\; | sort';
  const withoutDirSizes = (text: string) => text.replace(/^(.* d \d+ \d+ \d+) \d+ [\d.]+/gm, '$1');
  const container = withoutDirSizes(inOverlay(lower, upper, work, script));
  const image = withoutDirSizes(inOverlay([layer, ...lower], emptyDir(base), emptyDir(base), script));
  t.is(image, container);
  t.deepEqual(mergedNames([layer, ...lower], base).includes('hard2'), true);
});

test('a file changed behind unchanged size and time is still packed', async (t) => {
  const base = tempDir(t);
  const lower = emptyDir(base);
  await apply(tar(file('f', 'aaaa')), lower, []);
  const upper = emptyDir(base);
  inOverlay(
    [lower],
    upper,
    emptyDir(base),
    'touch -r f /tmp/ref.$$; printf bbbb > f; touch -r /tmp/ref.$$ f; rm /tmp/ref.$$',
  );
  t.deepEqual(await diff(upper, [lower]), ['C /f']);
  t.deepEqual(listed((await pack({ upper, lower: [lower] })).archive), ['f']);
});

test('mount point stubs are hidden while they are empty', async (t) => {
  const base = tempDir(t);
  const lower = emptyDir(base);
  await apply(tar(dir('etc')), lower, []);
  const upper = emptyDir(base);
  inOverlay(
    [lower],
    upper,
    emptyDir(base),
    ': > etc/hosts; : > etc/resolv.conf; echo x > etc/hostname; mkdir etc/dir',
  );
  const stubs = join(base, 'stubs');
  t.is((await diff(upper, [lower], stubs)).length, 5);
  writeFileSync(stubs, '/etc/hosts\0/etc/resolv.conf\0/etc/hostname\0/etc/dir\0');
  t.deepEqual(await diff(upper, [lower], stubs), ['C /etc', 'A /etc/dir', 'A /etc/hostname']);
  t.deepEqual(listed((await pack({ upper, lower: [lower], stubs })).archive), [
    'etc/',
    'etc/dir/',
    'etc/hostname',
  ]);
});

test('only stubs: nothing changed', async (t) => {
  const base = tempDir(t);
  const lower = emptyDir(base);
  await apply(tar(dir('etc')), lower, []);
  const upper = emptyDir(base);
  inOverlay([lower], upper, emptyDir(base), ': > etc/hosts');
  const stubs = join(base, 'stubs');
  writeFileSync(stubs, '/etc/hosts\0');
  t.deepEqual(await diff(upper, [lower], stubs), []);
  const { archive, result } = await pack({ upper, lower: [lower], stubs });
  t.is(result.entries, 0);
  t.true(archive.equals(Buffer.alloc(1024)));
});

test('names that are not UTF-8 stay bytes', async (t) => {
  const base = tempDir(t);
  const upper = emptyDir(base);
  writeFileSync(Buffer.concat([Buffer.from(`${upper}/`), Buffer.from([0xff, 0x0a])]), 'x');
  t.deepEqual(await diff(upper, []), ['A /\xff\n']);
});
