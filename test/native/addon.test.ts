import { spawnSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { loadNative } from '../../src/native/load.js';

const native = loadNative();
const dir = mkdtempSync(join(tmpdir(), 'tsrun-addon-'));
test.after.always(() => rmSync(dir, { recursive: true, force: true }));

/** Everything that can be read from `fd` until end of file. */
function drain(fd: number): string {
  const chunks: Buffer[] = [];
  const buffer = Buffer.alloc(65536);
  for (let got = readSync(fd, buffer); got > 0; got = readSync(fd, buffer)) {
    chunks.push(Buffer.from(buffer.subarray(0, got)));
  }
  return Buffer.concat(chunks).toString();
}

/** Runs a shell script with its stdout on a pipe, and returns that and the exit code. */
async function shell(script: string, env: string[] = [], fds: { child: number; parent: number }[] = []) {
  const [out, write] = native.pipe();
  const pid = native.spawn({
    file: '/bin/sh',
    args: ['-c', script],
    env,
    fds: [{ child: 1, parent: write }, ...fds],
  });
  native.close(write);
  const text = drain(out);
  native.close(out);
  return { text, code: await native.waitPid(pid) };
}

test('spawn gives the child the named fds, /dev/null for 0 to 2, and nothing else', async (t) => {
  // Above the first run of fds, which Node marks close-on-exec by itself.
  const file = join(dir, 'leak');
  writeFileSync(file, '');
  const leaks = Array.from({ length: 40 }, () => openSync(file, 'r'));
  const [read, write] = native.pipe();
  const { text, code } = await shell(
    'readlink /proc/$$/fd/0 /proc/$$/fd/2; ls /proc/$$/fd',
    [],
    [{ child: 7, parent: read }],
  );
  for (const fd of [...leaks, read, write]) native.close(fd);
  t.is(code, 0);
  t.is(text, '/dev/null\n/dev/null\n0\n1\n2\n7\n');
});

test('spawn can exchange two fds', async (t) => {
  const a = join(dir, 'a');
  const b = join(dir, 'b');
  writeFileSync(a, '');
  writeFileSync(b, '');
  const x = openSync(a, 'r');
  const y = openSync(b, 'r');
  const { text } = await shell(
    `readlink /proc/$$/fd/${x} /proc/$$/fd/${y}`,
    [],
    [
      { child: x, parent: y },
      { child: y, parent: x },
    ],
  );
  closeSync(x);
  closeSync(y);
  t.is(text, `${b}\n${a}\n`);
});

test('spawn passes only the given environment, and standard signals and limits', async (t) => {
  const { text } = await shell('export -p; grep -E "Sig(Blk|Ign)" /proc/$$/status; ulimit -Sn', ['X=1 2']);
  const lines = text.split('\n');
  t.true(lines.includes("export X='1 2'"));
  t.false(text.includes('PATH'));
  t.true(lines.includes('SigBlk:\t0000000000000000'));
  t.true(lines.includes('SigIgn:\t0000000000000000'));
  t.true(lines.includes('1024'));
});

test('spawn of a missing file throws the errno and leaves no child', (t) => {
  const error = t.throws(() => native.spawn({ file: join(dir, 'none'), args: [], env: [], fds: [] }));
  t.like(error, { code: 'ENOENT', errno: 2, syscall: 'execve' });
  t.is(
    readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').split(' ').filter(isDefunct).length,
    0,
  );
});

function isDefunct(pid: string): boolean {
  if (pid === '') return false;
  return readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
}

test('spawn refuses a string that the kernel would cut short', (t) => {
  t.throws(() => native.spawn({ file: '/bin/true', args: ['a\0b'], env: [], fds: [] }), {
    instanceOf: TypeError,
  });
});

test('waitPid gives the exit code, or 128 + signal', async (t) => {
  t.is((await shell('exit 3')).code, 3);
  t.is((await shell('kill -9 $$')).code, 137);
  await t.throwsAsync(native.waitPid(process.pid), { code: 'ECHILD' });
});

test('many helpers can be waited for while Node goes on reading files', async (t) => {
  const [hold, release] = native.pipe();
  const pids = Array.from({ length: 8 }, () =>
    native.spawn({ file: '/bin/sh', args: ['-c', 'read x'], env: [], fds: [{ child: 0, parent: hold }] }),
  );
  const codes = Promise.all(pids.map((pid) => native.waitPid(pid)));
  const { readFile } = await import('node:fs/promises');
  t.truthy(await readFile('/proc/self/stat', 'utf8')); // would wait for ever behind four busy pool threads
  native.close(release);
  t.deepEqual(
    await codes,
    pids.map(() => 1),
  );
  native.close(hold);
});

test('a lock byte is exclusive between opens, shared among readers, and probing never takes it', async (t) => {
  const path = join(dir, 'lock');
  writeFileSync(path, '');
  const [a, b] = [openSync(path, 'r+'), openSync(path, 'r+')];
  t.deepEqual(native.probeLocks([path, join(dir, 'missing')], 0), [false, false]);
  t.true(await native.lock(a, 0, false));
  t.false(await native.lock(b, 0, false));
  t.true(await native.lock(b, 1, false), 'another byte is another lock');
  t.deepEqual(native.probeLocks([path], 0), [true]);
  const waiting = native.lock(b, 0, true);
  closeSync(a);
  t.true(await waiting);
  closeSync(b);

  const [c, d] = [openSync(path, 'r+'), openSync(path, 'r+')];
  t.true(await native.lockShared(c, 0, false));
  t.true(await native.lockShared(d, 0, false));
  t.false(await native.lock(d, 0, false));
  t.deepEqual(native.probeLocks([path], 0), [true]);
  closeSync(c);
  closeSync(d);
  t.deepEqual(native.probeLocks([path], 0), [false]);
});

test('connectUnix reaches a socket below a path longer than sun_path', async (t) => {
  const deep = join(dir, 'd'.repeat(100), 'e'.repeat(100));
  mkdirSync(deep, { recursive: true });
  const short = join(dir, 's');
  const server = createServer((socket) => socket.end('hello'));
  await new Promise<void>((resolve) => server.listen(short, resolve));
  native.renameNoReplace(short, join(deep, 's'));
  const fd = native.connectUnix(join(deep, 's'));
  const { Socket } = await import('node:net');
  const text = await new Promise<string>((resolve) => {
    new Socket({ fd }).once('data', (data) => resolve(data.toString())).resume();
  });
  t.is(text, 'hello');
  await new Promise((resolve) => server.close(resolve));
  t.like(
    t.throws(() => native.connectUnix(join(deep, 's'))),
    { syscall: 'connect', code: 'ECONNREFUSED' },
  );
});

test('renameNoReplace refuses an existing target', (t) => {
  const [from, to] = [join(dir, 'from'), join(dir, 'to')];
  writeFileSync(from, 'new');
  writeFileSync(to, 'old');
  t.like(
    t.throws(() => native.renameNoReplace(from, to)),
    { code: 'EEXIST', syscall: 'renameat2' },
  );
  t.is(readFileSync(to, 'utf8'), 'old');
});

test('directories are spread where the file system can', (t) => {
  const path = join(dir, 'spread');
  mkdirSync(path);
  const can = native.spreadDirectories(path);
  const { stdout } = spawnSync('lsattr', ['-d', path], { encoding: 'utf8' });
  t.is(can, /^\S*T/.test(stdout), stdout);
  t.false(native.spreadDirectories(join(dir, 'nothing')));
  t.false(native.spreadDirectories('/proc/self'));
});

test('syncfs works on a directory and names a missing path', async (t) => {
  await native.syncfs(dir);
  await t.throwsAsync(native.syncfs(join(dir, 'nothing')), { code: 'ENOENT' });
});

test('socketPair and pipe carry bytes; close is checked', (t) => {
  const [a, b] = native.socketPair();
  writeSync(a, 'x');
  const buffer = Buffer.alloc(1);
  t.is(readSync(b, buffer), 1);
  native.close(a);
  native.close(b);
  t.like(
    t.throws(() => native.close(b)),
    { code: 'EBADF', syscall: 'close' },
  );
});

test('terminal calls on something else say ENOTTY', (t) => {
  const fd = openSync('/dev/null', 'r');
  t.like(
    t.throws(() => native.windowSize(fd)),
    { code: 'ENOTTY' },
  );
  t.like(
    t.throws(() => native.makeRaw(fd)),
    { code: 'ENOTTY' },
  );
  closeSync(fd);
});

test('makeRaw and restoreTerminal are inverse on a real terminal', (t) => {
  const script = `
    import { openSync } from 'node:fs';
    import { execFileSync } from 'node:child_process';
    import { loadNative } from ${JSON.stringify(new URL('../../src/native/load.ts', import.meta.url).href)};
    const native = loadNative();
    const fd = openSync('/dev/tty', 'r+');
    const stty = () => execFileSync('stty', ['-a'], { stdio: [fd, 'pipe', 'inherit'] }).toString();
    const before = stty();
    const saved = native.makeRaw(fd);
    const raw = stty();
    native.restoreTerminal(fd, saved);
    console.log(JSON.stringify([/ -icanon/.test(before), / -icanon/.test(raw), before === stty(), native.windowSize(fd)]));
  `;
  const file = join(dir, 'tty.mts');
  writeFileSync(file, script);
  const { execFileSync } = process.getBuiltinModule('node:child_process');
  const command = `stty rows 31 cols 77; ${process.execPath} --import=tsx ${file}`;
  const out = execFileSync('script', ['-qec', command, '/dev/null'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.deepEqual(JSON.parse(out), [false, true, true, { rows: 31, cols: 77 }]);
});
