/** `tsrun exec`: the second process of a container has exactly what the first one has. */
import test from 'ava';
import { Store } from '../helpers/cli.js';
import { leaksAfterSettling } from '../helpers/leaks.js';
import { Terminal } from '../helpers/terminal.js';

let store: Store;

test.before(async () => {
  store = new Store();
  await store.ok(
    'run',
    '-d',
    '--name',
    'box',
    '--network',
    'none',
    '-e',
    'A=1',
    'busybox',
    'sleep',
    '100000',
  );
});

test.after.always(async (t) => {
  await store.tsrun(['rm', '-f', 'box']);
  t.deepEqual(await leaksAfterSettling(store.root), []);
  await store.destroy();
});

function exec(...args: string[]) {
  return store.tsrun(['exec', ...args]);
}

test.serial('streams stay apart, input arrives, the exit code is the program’s', async (t) => {
  t.deepEqual(await exec('box', 'sh', '-c', 'echo out; echo err >&2; exit 42'), {
    code: 42,
    stdout: 'out\n',
    stderr: 'err\n',
  });
  const counted = await store.tsrun(['exec', '-i', 'box', 'wc', '-c'], { input: 'x'.repeat(300_000) });
  t.is(counted.stdout, '300000\n', counted.stderr);
  t.is((await store.tsrun(['exec', 'box', 'cat'], { input: 'not seen' })).stdout, '');
  t.is((await exec('box', 'sh', '-c', 'kill -9 $$')).code, 137);
});

const REFUSED: [string, string[], number, RegExp][] = [
  ['a missing command', ['box', 'nosuch'], 127, /exec: "nosuch": executable file not found in \$PATH/],
  ['a missing path', ['box', '/no/such'], 127, /no such file or directory/],
  ['a directory', ['box', '/etc'], 126, /permission denied|is a directory/],
  ['a detached missing command', ['-d', 'box', 'nosuch'], 127, /executable file not found/],
  [
    'an unknown user',
    ['-u', 'nosuch', 'box', 'true'],
    126,
    /unable to find user nosuch: no matching entries/,
  ],
  ['a missing working directory', ['-w', '/nosuch', 'box', 'true'], 127, /chdir to cwd \("\/nosuch"\)/],
  ['a container that is not there', ['nosuch', 'true'], 1, /No such container: nosuch/],
  ['too few words', ['box'], 1, /requires at least 2 arguments/],
];
for (const [title, args, code, stderr] of REFUSED) {
  test.serial(`${title}: exit code ${code}`, async (t) => {
    const result = await exec(...args);
    t.is(result.code, code, result.stderr);
    t.regex(result.stderr, stderr);
    t.is(result.stdout, '');
  });
}

test.serial('it has the namespaces, cgroup, limits and privileges of the first process', async (t) => {
  const script = (pid: string) =>
    `for ns in pid net mnt ipc uts cgroup; do readlink /proc/${pid}/ns/$ns; done; cat /proc/${pid}/cgroup; ` +
    `cat /proc/${pid}/limits; grep -E '^(Uid|Gid|Groups|Umask|Cap|NoNewPrivs|Seccomp)' /proc/${pid}/status; ` +
    `cat /proc/${pid}/oom_score_adj`;
  const [first, second] = [
    await exec('box', 'sh', '-c', script('1')),
    await exec('box', 'sh', '-c', script('$$')),
  ];
  t.is(first.code, 0, first.stderr);
  t.is(second.stdout, first.stdout);
  t.regex(first.stdout, /Seccomp:\t2/);
});

test.serial('users, working directory and environment', async (t) => {
  t.is((await exec('-u', '1000:2000', 'box', 'id', '-u')).stdout, '1000\n');
  t.is((await exec('-u', '1000:2000', 'box', 'id', '-g')).stdout, '2000\n');
  t.is((await exec('-w', '/etc', 'box', 'pwd')).stdout, '/etc\n');
  const env = await store.tsrun(['exec', '-e', 'B=2', '-e', 'FROM_HOST', 'box', 'env'], {
    env: { FROM_HOST: 'yes' },
  });
  for (const line of ['A=1', 'B=2', 'FROM_HOST=yes', 'HOME=/root'])
    t.true(env.stdout.split('\n').includes(line), line);
  t.notRegex(env.stdout, /^TERM=/m);
});

test.serial('--privileged gives all capabilities, and only then', async (t) => {
  const caps = async (...flags: string[]) =>
    (await exec(...flags, 'box', 'grep', 'CapEff', '/proc/self/status')).stdout;
  t.not(await caps('--privileged'), await caps());
});

test.serial('a job left in the background holds up nobody', async (t) => {
  const result = await exec('box', 'sh', '-c', 'sleep 90000 & echo hi');
  t.is(result.stdout, 'hi\n');
  t.is(result.code, 0, result.stderr);
});

test.serial('-d says nothing and the command runs', async (t) => {
  t.deepEqual(await exec('-d', 'box', 'sh', '-c', 'echo done > /tmp-mark'), {
    code: 0,
    stdout: '',
    stderr: '',
  });
  t.is(
    (await exec('box', 'sh', '-c', 'while ! [ -s /tmp-mark ]; do :; done; cat /tmp-mark')).stdout,
    'done\n',
  );
});

test.serial('quick commands one after the other lose no byte', async (t) => {
  for (let i = 0; i < 20; i++) t.is((await exec('box', 'echo', `line ${i}`)).stdout, `line ${i}\n`);
});

test.serial('a terminal has the size of ours, and TERM', async (t) => {
  const terminal = new Terminal(
    `sh -c '${process.cwd()}/bin/tsrun exec -it box sh -c "stty size; tty; echo T=\\$TERM"'`,
    { env: store.environment(), cols: 97, rows: 31 },
  );
  try {
    const screen = await terminal.waitFor(/T=xterm/);
    t.regex(screen, /31 97/);
    t.regex(screen, /\/dev\/pts\/\d+/);
  } finally {
    terminal.end();
  }
});

test.serial('a paused or stopped container refuses', async (t) => {
  await store.ok('pause', 'box');
  const paused = await exec('box', 'true');
  t.is(paused.code, 1);
  t.regex(paused.stderr, /Container box is paused, unpause the container before exec/);
  await store.ok('unpause', 'box');
  await store.ok('create', '--name', 'never', 'busybox');
  const created = await exec('never', 'true');
  t.is(created.code, 1);
  t.regex(created.stderr, /Container [0-9a-f]{64} is not running/);
  await store.ok('rm', 'never');
});
