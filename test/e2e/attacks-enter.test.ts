/**
 * Attacks on the engine's own processes while they are where a container can see them (docs/security.md: T1, T2, T8, T9):
 * its executable, its memory, the files it has open.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import test from 'ava';
import { Arena, ATTACKER } from '../helpers/arena.js';
import { TSRUN } from '../helpers/cli.js';

let arena: Arena;
test.serial.before(() => {
  arena = new Arena();
});
test.after.always((t) => arena.end(t));

const sum = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');
const BINARIES = ['build/Release/tsrun-runtime', 'build/Release/tsrun.node'];

// Was seen to fail without protectSelf (native/helper/exec_verb.cc, monitor_verb.cc).
test.serial('the executable of the engine is not writable through /proc/PID/exe', async (t) => {
  const before = BINARIES.map(sum);
  await arena.start('thief', [], ATTACKER, 'overwrite');
  // The kernel runs the engine's own file in the container, where anybody may have a handle on it: until its input ends.
  const bait = arena.store.start(['exec', '-i', 'thief', '/proc/self/exe', 'engine', 'compress']);
  const ended = once(bait, 'close');
  await arena.hears('thief', 'handle');
  await Promise.race([
    arena.hears('thief', 'refused'),
    arena.hears('thief', 'busy'),
    arena.hears('thief', 'breach'),
  ]);
  bait.stdin.end();
  await ended;
  const said = arena.logOf('thief');
  t.regex(said, /^refused (EROFS|SEALED)$/m, 'not only while it runs (ETXTBSY)');
  t.notRegex(said, /^(breach|busy)$/m);
  t.deepEqual(BINARIES.map(sum), before);
  const monitor = arena.monitorOf('thief');
  t.regex(String(t.throws(() => openSync(`/proc/${monitor}/exe`, 'r+'))), /EROFS|EPERM/);
  await arena.remove('thief');
});

/** Long enough to look for the program in it for some 50 ms, after all rights have been given up and before execve. */
const LONG_PATH = `PATH=${'/a:'.repeat(40_000)}/bin`;

// Was seen to fail without PR_SET_DUMPABLE in Joiner::run (native/runtime/join.cc).
test.serial('who enters a container cannot be traced, nor its memory and files be had', async (t) => {
  const file = join(arena.dir, 'path');
  writeFileSync(file, `${LONG_PATH}\n`);
  await arena.start('spy', [], ATTACKER, 'watch');
  for (let round = 0; round < 30 && !arena.logOf('spy').includes('seen'); round += 1) {
    const { code, stderr } = await arena.store.tsrun(['exec', '--env-file', file, 'spy', 'true']);
    t.is(code, 0, stderr);
  }
  const said = arena.logOf('spy');
  t.regex(said, /^seen$/m, 'the attack had the time to try');
  t.notRegex(said, /^breach/m);
  await arena.remove('spy');
});

/** Files of the host that stay open across execve of who starts the engine. */
function withOpenFiles(numbers: readonly number[], args: readonly string[]) {
  const root = openSync('/', 'r');
  const stdio = Array.from({ length: Math.max(...numbers) + 1 }, (_, fd) =>
    fd < 3 ? 'pipe' : numbers.includes(fd) ? root : 'ignore',
  );
  const child = spawn(TSRUN, args, { stdio, env: { ...process.env, ...arena.store.environment() } });
  closeSync(root);
  child.stdin?.end();
  return Promise.all([child.stdout ? text(child.stdout) : '', child.stderr ? text(child.stderr) : '']);
}

const WITHOUT_NETWORK = ['run', '--rm', '--network', 'none'];
const LIST =
  'ls /proc/1/fd; for n in $(seq 3 600); do [ ! -e /proc/1/fd/$n/etc/hostname ] || echo leak $n; done';

test.serial('what the caller has open does not come in', async (t) => {
  const [out, err] = await withOpenFiles([20, 100, 500], [...WITHOUT_NETWORK, 'busybox', 'sh', '-c', LIST]);
  t.deepEqual([out, err], ['0\n1\n2\n', '']);
});

test.serial('no working directory leads to a file that the engine has open', async (t) => {
  await arena.start('cwd', [], 'sh', '-c', 'echo ready; exec sleep 7777');
  const results = await Promise.all(
    [3, 5, 7].flatMap((fd) => [
      arena.store.tsrun(['exec', '-w', `/proc/self/fd/${fd}`, 'cwd', 'cat', '../../etc/hostname']),
      arena.run(['-w', `/proc/self/fd/${fd + 2}/.`], 'cat', '../../etc/hostname'),
    ]),
  );
  for (const { code, stdout } of results) t.deepEqual([code > 0, stdout], [true, '']);
  await arena.remove('cwd');
});

test.serial('closed streams of the caller are not filled with files of the engine', async (t) => {
  const script = `${TSRUN} run -d --name bare --network none busybox sh -c 'ls -l /proc/self/fd > /tmp/fds; exec sleep 7777'`;
  const child = spawn('sh', ['-c', `${script} <&- >&- 2>&-`], {
    env: { ...process.env, ...arena.store.environment() },
  });
  t.is(await new Promise((done) => child.once('close', done)), 0);
  const listed = await arena.store.ok('exec', 'bare', 'cat', '/tmp/fds');
  // fd 3 is the directory that ls itself reads.
  const targets = [...listed.matchAll(/ (\d) -> (\S+)/g)].map(([, fd, target]) => `${fd} ${target}`);
  for (const target of targets)
    t.regex(target, /^(0 \/dev\/null|0 pipe:.*|1 \/tmp\/fds|2 pipe:.*|3 .*\/fd)$/);
  await arena.remove('bare');
});

test.serial('exec -u is that user, without the rights of root', async (t) => {
  await arena.start('users', [], 'sh', '-c', 'echo ready; exec sleep 7777');
  const status = 'grep -E "^(Uid|Gid|Groups|CapInh|CapPrm|CapEff|CapAmb)" /proc/self/status | tr "\\t" " "';
  const none = (name: string) => `${name}: ${'0'.repeat(16)}`;
  const caps = [none('CapInh'), none('CapPrm'), none('CapEff'), none('CapAmb')].join('\n');
  const table: [string, string][] = [
    ['1', 'Uid: 1 1 1 1\nGid: 1 1 1 1\nGroups: 1 \n'],
    ['nobody', `Uid:${' 65534'.repeat(4)}\nGid:${' 65534'.repeat(4)}\nGroups: 65534 \n`],
  ];
  for (const [user, expected] of table) {
    const { stdout } = await arena.store.tsrun(['exec', '-u', user, 'users', 'sh', '-c', status]);
    t.is(stdout, `${expected}${caps}\n`, user);
  }
  for (const user of ['4294967296'])
    t.not((await arena.store.tsrun(['exec', '-u', user, 'users', 'id'])).code, 0, user);
  await arena.remove('users');
});
