/** The monitor on hand-made container directories: start, streams, end. Needs root. */
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { Frame, Want } from '../../src/native/protocol.js';
import { HandMadeStore, native, until } from '../helpers/hand-made.js';

const store = new HandMadeStore();
test.after.always(() => store.remove());

/** Directories of the test's cgroups that still exist. */
function cgroups(): string[] {
  // -ignore_readdir_race: those of tests beside this one go while it looks.
  const args = ['/sys/fs/cgroup', '-ignore_readdir_race', '-type', 'd', '-path', `*tsrun/${store.tag}*`];
  const found = execFileSync('find', args, { encoding: 'utf8' });
  return found.split('\n').filter((line) => line !== '');
}

test.after('no cgroup of the store is left', (t) => {
  t.deepEqual(cgroups(), []);
});

test('a run: output, records, state before the end of the report, exit record, and nothing else left', async (t) => {
  const c = store.container(['sh', '-c', 'echo out; echo err >&2; read x; exit 3'], {
    launch: { openStdin: true, stdinOnce: true },
  });
  const before = Date.now();
  const { client, records, launcher } = await c.start();
  t.is(launcher, 0);
  t.deepEqual(
    records.filter((record) => 'fail' in record),
    [],
  );
  t.like(records.at(-1), { step: 'exec' });
  t.is(c.state.phase, 'running');
  t.true(existsSync(`/proc/${c.state.pid}`));
  t.is(statSync(c.paths.sock).mode & 0o777, 0o600);
  client.send(Frame.stdinEnd);
  t.is(await client.ended, 3);
  t.is(client.text(Frame.stdout), 'out\n');
  t.is(client.text(Frame.stderr), 'err\n');
  t.like(c.exit, { exitCode: 3, oomKilled: false });
  t.is(c.exit.error, undefined);
  const times = [c.exit.startedAt ?? '', c.exit.finishedAt].map((text) => Date.parse(text));
  t.deepEqual([before, ...times, Date.now()].sort(), [before, ...times, Date.now()]);
  for (const gone of ['state', 'sock', 'ledger'] as const) t.false(existsSync(c.paths[gone]), gone);
});

test('exit codes: the program, a signal, and starts that fail', async (t) => {
  const cases: [string[], number, string | undefined][] = [
    [['true'], 0, undefined],
    [['false'], 1, undefined],
    [['sh', '-c', 'kill -9 $$; exit 5'], 5, undefined], // PID 1 does not hear its own signals
    [['no-such-program'], 127, 'exec'],
    [['/bin/none'], 127, 'exec'],
    [['/etc'], 126, 'exec'],
    [['/etc/passwd'], 126, 'exec'],
    [[`/${'\u0001<é'.repeat(3000)}`], 126, 'exec'], // a record stays one valid line, however long its subject
  ];
  for (const [args, code, step] of cases) {
    const c = store.container(args);
    const { client, records } = await c.start();
    t.is(await client.ended, code, args.join(' '));
    t.is(c.exit.exitCode, code);
    t.is(c.exit.error?.step, step);
    t.is(
      records.some((record) => 'fail' in record),
      step !== undefined,
    );
    if (step !== undefined) t.is(c.exit.startedAt, undefined);
  }
});

test('a start that fails before exec is a 128, names its step, and is undone before the report ends', async (t) => {
  const c = store.container(['true'], { launch: { user: 'nobody-here' } });
  const { records, client } = await c.start();
  t.true(records.some((record) => 'fail' in record && record.fail.step === 'process.user'));
  t.is(c.exit.exitCode, 128);
  for (const gone of ['state', 'sock', 'ledger'] as const) t.false(existsSync(c.paths[gone]), gone);
  t.deepEqual(native.probeLocks([c.paths.lock], 0), [false]);
  t.is(await client.ended, 128);
});

test('documents that cannot be read are a failure with the path', async (t) => {
  const c = store.container(['true']);
  const launch = JSON.parse(readFileSync(c.paths.launch, 'utf8'));
  writeFileSync(c.paths.launch, JSON.stringify({ ...launch, version: 2 }));
  const { records } = await c.start();
  const failure = records.flatMap((record) => ('fail' in record ? [record.fail] : []))[0];
  t.like(failure, { step: 'helper.config', subject: c.paths.launch });
  t.regex(failure?.detail ?? '', /version 1 only/);
});

test('one monitor per container', async (t) => {
  const c = store.container(['sleep', '1000']);
  const first = await c.start();
  const second = await c.start();
  t.like(second.records.at(-1), { fail: { step: 'helper.lock', errno: 16 } });
  t.is(c.state.phase, 'running');
  first.client.send(Frame.signal, Buffer.of(9));
  t.is(await first.client.ended, 137);
});

test('stdin: bytes pass through, the half-close of one client is the end of file, output goes on after it', async (t) => {
  const c = store.container(['sh', '-c', 'cat; echo end; sleep 0; echo really'], {
    launch: { openStdin: true, stdinOnce: true },
  });
  const { client } = await c.start();
  const text = 'x'.repeat(300_000);
  client.send(Frame.stdin, text);
  client.socket.end();
  t.is(await client.ended, 0);
  t.is(client.text(), `${text}end\nreally\n`);
});

test('without stdinOnce a later client goes on where the first stopped', async (t) => {
  const c = store.container(['cat'], { launch: { openStdin: true } });
  const { client } = await c.start();
  client.send(Frame.stdin, 'one\n');
  client.send(Frame.stdinEnd);
  await client.until((heard) => heard.text() === 'one\n');
  const later = c.connect();
  later.send(Frame.hello, Buffer.of(Want.stdin | Want.stdout));
  later.send(Frame.stdin, 'two\n');
  await later.until((heard) => heard.text() === 'two\n');
  later.send(Frame.signal, Buffer.of(9));
  t.is(await later.ended, 137);
  t.is(await client.ended, 137);
  t.is(client.text(), 'one\ntwo\n');
});

test('without openStdin the program reads an end of file', async (t) => {
  const c = store.container(['cat']);
  const { client } = await c.start();
  t.is(await client.ended, 0);
});

test('a terminal: size before exec, resize, echo, and no end of file from the client', async (t) => {
  const script = 'stty size; tty; echo err >&2; read line; echo "got $line"; stty size';
  const c = store.container(['sh', '-c', script], {
    terminal: true,
    launch: { openStdin: true, stdinOnce: true, consoleSize: { rows: 33, cols: 91 } },
  });
  const { client } = await c.start();
  await client.until((heard) => heard.text().includes('err'));
  t.is(
    client.text(),
    '33 91\r\n/dev/console\r\nerr\r\n'.replace('/dev/console', client.text().split('\r\n')[1] ?? ''),
  );
  client.send(Frame.resize, Buffer.from([0, 20, 1, 0]));
  client.send(Frame.stdin, 'hello\n');
  t.is(await client.ended, 0);
  t.true(client.text().endsWith('hello\r\ngot hello\r\n20 256\r\n'), client.text());
});

test('the container has its three streams, default signals, no_new_session of ours, and no way to our files', async (t) => {
  const script = 'ls /proc/self/fd; cat /proc/self/status; readlink /proc/self/fd/0';
  const c = store.container(['sh', '-c', script]);
  const { client } = await c.start();
  t.is(await client.ended, 0);
  const text = client.text();
  t.regex(text, /^0\n1\n2\n3\n/); // 3 is the directory that ls reads
  t.regex(text, /^SigBlk:\t0+$/m);
  t.regex(text, /^SigIgn:\t0+$/m);
});

test('the monitor: cannot be written or traced, holds nothing of its starter, stays small, is seen by its title', async (t) => {
  const c = store.container(['sleep', '1000']);
  const { client } = await c.start();
  const pid = c.monitorPid;
  t.true(pid > 0);
  for (const flag of ['r+', 'a', 'w']) {
    const error = t.throws(() => openSync(`/proc/${pid}/exe`, flag)) as NodeJS.ErrnoException | undefined;
    t.true(['EROFS', 'ETXTBSY', 'EPERM'].includes(error?.code ?? ''), error?.message);
  }
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  t.regex(status, /^Name:\ttsrun:\[monitor\]$/m);
  t.regex(status, /^Threads:\t1$/m);
  const fds = readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return execFileSync('readlink', [`/proc/${pid}/fd/${fd}`], { encoding: 'utf8' }).trim();
    } catch {
      return '';
    }
  });
  t.is(fds.filter((target) => target === '/dev/null').length, 3);
  t.deepEqual(
    fds.filter((target) => /\.(ts|mjs|js)$|pts|config\.json|launch\.json/.test(target)),
    [],
  );
  t.true(privateDirty(pid) < 700, `${privateDirty(pid)} kB`);
  client.send(Frame.signal, Buffer.of(9));
  t.is(await client.ended, 137);
});

/** kB of memory that only this process has. */
function privateDirty(pid: number): number {
  return Number(/Private_Dirty:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]);
}

test('nothing of a running container is mounted where others see it', async (t) => {
  const c = store.container(['sleep', '1000']);
  const { client } = await c.start();
  t.false(readFileSync('/proc/self/mountinfo', 'utf8').includes(store.root));
  t.false(readFileSync(`/proc/${c.monitorPid}/mountinfo`, 'utf8').includes(store.root));
  client.send(Frame.signal, Buffer.of(9));
  await client.ended;
});

test('a signal is acknowledged with its errno; a client without hello hears no output', async (t) => {
  const c = store.container([
    'sh',
    '-c',
    'trap "echo caught; exit 7" TERM; echo ready; while :; do sleep 0.1; done',
  ]);
  const { client } = await c.start();
  await client.until((heard) => heard.text() === 'ready\n');
  const control = c.connect();
  control.send(Frame.signal, Buffer.of(99));
  control.send(Frame.signal, Buffer.of(15));
  t.is(await control.ended, 7);
  t.is(control.text(Frame.stdout), '');
  t.deepEqual(
    [...Buffer.from(control.text(Frame.ack))].filter((_, i) => i % 4 === 3),
    [22, 0],
  );
  t.is(await client.ended, 7);
  t.is(client.text(), 'ready\ncaught\n');
});

test('a frame that is too long ends the connection, not the container', async (t) => {
  const c = store.container(['sleep', '1000']);
  const { client } = await c.start();
  const rude = c.connect();
  rude.socket.write(Buffer.from([Frame.resize, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]));
  t.is(await rude.ended, undefined);
  t.is(c.state.phase, 'running');
  client.send(Frame.signal, Buffer.of(9));
  await client.ended;
});

test('a client that does not read holds the program back and loses nothing; one that dies lets it go on', async (t) => {
  const size = 24 << 20;
  const c = store.container(['sh', '-c', `read x; head -c ${size} /dev/zero; echo done >&2`], {
    launch: { openStdin: true, log: { driver: 'none', maxSize: 0, maxFile: 1 } },
  });
  const { client } = await c.start();
  client.keep = false;
  const slow = c.connect();
  slow.keep = false;
  slow.send(Frame.hello, Buffer.of(Want.stdout));
  slow.send(Frame.signal, Buffer.of(0));
  await slow.until((heard) => heard.bytes === 4); // it is known now
  slow.socket.pause();
  client.send(Frame.stdin, '\n');
  // Blocked in its write to fd 1: everything on the way is full.
  const children = () => readFileSync(`/proc/${c.state.pid}/task/${c.state.pid}/children`, 'utf8').trim();
  await until(() => children() !== '');
  const writer = children();
  await until(
    () => /^(1|64) 0x1 /.test(readFileSync(`/proc/${writer}/syscall`, 'utf8')) && slow.socket.isPaused(),
  );
  t.true(client.bytes < size / 2, 'who reads waits for who does not');
  slow.socket.resume();
  t.is(await slow.ended, 0);
  t.is(slow.bytes, size + 4);
  t.is(await client.ended, 0);
  t.is(client.bytes, size + 'done\n'.length);
});

test('after a lot of data the monitor is small again', async (t) => {
  const c = store.container(['cat'], { launch: { openStdin: true } });
  const { client } = await c.start();
  client.keep = false;
  const block = Buffer.alloc(256 << 10, 'line\n');
  for (let i = 0; i < 40; i++) client.send(Frame.stdin, block);
  await client.until((heard) => heard.bytes === 40 * block.length);
  t.true(privateDirty(c.monitorPid) < 700);
  client.send(Frame.signal, Buffer.of(9));
  t.is(await client.ended, 137);
});

test('clients that vanish leave no fd behind', async (t) => {
  const c = store.container(['sleep', '1000']);
  const { client } = await c.start();
  const pid = c.monitorPid;
  const count = () => readdirSync(`/proc/${pid}/fd`).length;
  const before = count();
  for (let i = 0; i < 200; i++) {
    const guest = c.connect();
    guest.send(Frame.hello, Buffer.of(7));
    guest.socket.destroy();
    await guest.ended;
  }
  await until(() => count() === before);
  client.send(Frame.signal, Buffer.of(9));
  t.is(await client.ended, 137);
});

test('freeze stops the container until thaw; a hold ends with its connection', async (t) => {
  const c = store.container(['sleep', '1000']);
  const { client } = await c.start();
  const holder = c.connect();
  holder.send(Frame.freeze, Buffer.of(1));
  await holder.until((heard) => heard.text(Frame.ack).length === 4);
  t.is(holder.text(Frame.ack), '\0\0\0\0');
  t.is(c.state.phase, 'paused');
  holder.socket.destroy();
  await until(() => c.state.phase === 'running');

  client.send(Frame.freeze, Buffer.of(0));
  await until(() => c.state.phase === 'paused');
  client.send(Frame.thaw);
  await until(() => c.state.phase === 'running');

  client.send(Frame.freeze, Buffer.of(0));
  client.send(Frame.signal, Buffer.of(9)); // dies although frozen
  t.is(await client.ended, 137);
});

test('the log has the form of json-file: escapes, streams, lines split at 16 KiB', async (t) => {
  const bytes = String.raw`a<b>&"\\\t\001\303\251\377\342\200\250\r\n`;
  const script = `printf '${bytes}'; echo err >&2; head -c 40000 /dev/zero | busybox tr '\\0' x; echo; printf tail`;
  const c = store.container(['sh', '-c', script]);
  const { client } = await c.start();
  await client.ended;
  const raw = readFileSync(c.paths.log, 'utf8')
    .split('\n')
    .filter((line) => line.includes('"stdout"'));
  t.true(
    raw[0]?.startsWith(
      String.raw`{"log":"a\u003cb\u003e\u0026\"\\\u0009\u0001é\ufffd\u2028\r\n","stream":"stdout","time":"`,
    ),
    raw[0],
  );
  const parts = c.log.filter(({ stream }) => stream === 'stdout');
  t.deepEqual(
    parts.slice(1).map(({ log }) => [log.length, log.endsWith('\n')]),
    [
      [16384, false],
      [16384, false],
      [40001 - 2 * 16384, true],
      [4, false],
    ],
  );
  t.is(parts[1]?.time, parts[3]?.time, 'parts carry the time of the first');
  t.regex(parts[0]?.time ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,8}[1-9])?Z$/);
  t.deepEqual(
    c.log.filter(({ stream }) => stream === 'stderr').map(({ log }) => log),
    ['err\n'],
  );
});

test('the log rotates by size and keeps so many files', async (t) => {
  const c = store.container(['seq', '1000'], {
    launch: { log: { driver: 'json-file', maxSize: 10_000, maxFile: 3 } },
  });
  const { client } = await c.start();
  await client.ended;
  const files = readdirSync(c.paths.dir).filter((name) => name.startsWith('log'));
  t.deepEqual(files.sort(), ['log', 'log.1', 'log.2']);
  for (const name of files) t.true(statSync(join(c.paths.dir, name)).size < 10_200, name);
  const lines = ['log.2', 'log.1', 'log'].flatMap((name) =>
    readFileSync(join(c.paths.dir, name), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).log as string),
  );
  t.is(lines.at(-1), '1000\n');
  t.deepEqual(
    lines,
    Array.from({ length: lines.length }, (_, i) => `${1001 - lines.length + i}\n`),
  );
});

test('--rm: directory, name and anonymous volumes are gone when the client hears of the end', async (t) => {
  const volume = join(store.paths.volumes, 'anonymous');
  mkdirSync(join(volume, '_data'), { recursive: true });
  const c = store.container(['true'], { launch: { autoRemove: true, anonymousVolumes: [volume] } });
  const { client } = await c.start();
  t.is(await client.ended, 0);
  t.false(c.exists);
  t.false(existsSync(c.nameFile));
  t.false(existsSync(volume));
  t.deepEqual(readdirSync(store.paths.trash), []);
});

test('--rm of a failed start, while the starter holds the operation lock', async (t) => {
  const c = store.container(['nothing-there'], { launch: { autoRemove: true } });
  const lock = openSync(c.paths.lock, 'r+');
  await native.lock(lock, 1, false);
  const { client } = await c.start();
  t.false(c.exists);
  native.close(lock);
  t.is(await client.ended, 127);
});

test('--rm waits for an operation on the container', async (t) => {
  const c = store.container(['sleep', '1000'], { launch: { autoRemove: true } });
  const { client } = await c.start();
  const lock = openSync(c.paths.lock, 'r+');
  t.true(await native.lock(lock, 1, false));
  const control = c.connect();
  control.send(Frame.signal, Buffer.of(9));
  t.is(await control.ended, 137, 'who only controls it does not wait for the removal');
  t.true(c.exists);
  t.deepEqual(native.probeLocks([c.paths.lock], 0), [false]);
  native.close(lock);
  t.is(await client.ended, 137);
  t.false(c.exists);
});

test('death of the first client leaves the container running', async (t) => {
  const c = store.container(['sh', '-c', 'while :; do echo x; sleep 0.01; done']);
  const { client } = await c.start();
  await client.until((heard) => heard.text() !== '');
  client.socket.destroy();
  const later = c.connect();
  later.send(Frame.hello, Buffer.of(Want.stdout));
  await later.until((heard) => heard.text() !== '');
  t.is(c.state.phase, 'running');
  later.send(Frame.signal, Buffer.of(9));
  t.is(await later.ended, 137);
});

test('death of the monitor: the container dies with it, recovery records 137 and releases everything, once', async (t) => {
  const suid = join(store.lower, 'suid');
  mkdirSync(suid);
  copyFileSync('/bin/busybox', join(suid, 'sleep'));
  execFileSync('chmod', ['4755', join(suid, 'sleep')]);
  const cases: [string, string][] = [
    ['sleep', ''],
    // A set-uid program has its death signal cleared by the kernel: it outlives the monitor until recovery.
    ['/suid/sleep', '1000:1000'],
  ];
  for (const [program, user] of cases) {
    const c = store.container([program, '1000'], { launch: { user } });
    const { client } = await c.start();
    const { pid, startedAt } = c.state;
    process.kill(c.monitorPid, 'SIGKILL');
    t.is(await client.ended, undefined);
    t.true(existsSync(c.paths.ledger));
    const [first, second] = await Promise.all([c.recover(), c.recover()]);
    t.deepEqual([first, second].map((line) => JSON.parse(line).ok.recovered).sort(), [false, true]);
    t.true(isDead(pid), `${program} is dead`);
    t.like(c.exit, {
      exitCode: 137,
      startedAt,
      error: { step: 'monitor', errno: 0, subject: c.id, detail: 'monitor lost' },
    });
    for (const gone of ['state', 'sock', 'ledger'] as const) t.false(existsSync(c.paths[gone]), gone);
    t.deepEqual(
      cgroups().filter((dir) => dir.includes(c.id)),
      [],
    );
    const again = await c.start();
    t.like(again.records.at(-1), { step: 'exec' });
    t.deepEqual(JSON.parse(await c.recover()), { ok: { recovered: false } });
    t.is(c.state.phase, 'running');
    again.client.send(Frame.signal, Buffer.of(9));
    t.is(await again.client.ended, 137);
    t.is(c.exit.error, undefined);
  }
});

/** Gone, or a zombie that its new parent has not reaped yet. */
function isDead(pid: number): boolean {
  try {
    return /\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
}

test('recovery of a --rm container removes it', async (t) => {
  const c = store.container(['sleep', '1000'], { launch: { autoRemove: true } });
  await c.start();
  process.kill(c.monitorPid, 'SIGKILL');
  await until(() => native.probeLocks([c.paths.lock], 0)[0] === false);
  t.deepEqual(JSON.parse(await c.recover()), { ok: { recovered: true } });
  t.false(c.exists);
  t.false(existsSync(c.nameFile));
});

test('recovery skips a torn ledger line, and keeps the ledger when an entry cannot be released', async (t) => {
  const c = store.container(['true']);
  writeFileSync(c.paths.ledger, '{"kind":"cgroup","subject":"/tsrun/none/none"}\n{"kind":"cgr');
  t.deepEqual(JSON.parse(await c.recover()), { ok: { recovered: true } });
  t.false(existsSync(c.paths.ledger));
  t.false(existsSync(c.paths.exit), 'it had not been running');

  writeFileSync(c.paths.ledger, '{"kind":"moon","subject":"x"}\n');
  t.like(JSON.parse(await c.recover()), { fail: { step: 'ledger', subject: 'moon' } });
  t.true(existsSync(c.paths.ledger));
});
