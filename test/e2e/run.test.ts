/** `tsrun run` as its users know it from Docker: streams, exit codes, environment, users, volumes, errors. */
import { mkdtempSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { Store, TSRUN } from '../helpers/cli.js';
import { leaksAfterSettling } from '../helpers/leaks.js';
import { Terminal } from '../helpers/terminal.js';

let store: Store;
let dir: string;

test.before(() => {
  store = new Store();
  dir = mkdtempSync(join(tmpdir(), 'tsrun-run-'));
});

test.afterEach.always('nothing is left behind', async (t) => {
  t.deepEqual(await leaksAfterSettling(store.root), []);
});

test.after.always(async () => {
  await store.destroy();
  rmSync(dir, { recursive: true, force: true });
});

/** `tsrun run --rm --network none FLAGS… busybox COMMAND…` */
function box(flags: string[], command: string[], input?: string | Uint8Array) {
  return store.tsrun(['run', '--rm', '--network', 'none', ...flags, 'busybox', ...command], { input });
}

function sh(script: string, ...flags: string[]) {
  return box(flags, ['sh', '-c', script]);
}

test.serial('stdout and stderr stay apart, and the exit code is the program’s', async (t) => {
  t.deepEqual(await sh('echo out; echo err >&2; exit 42'), { code: 42, stdout: 'out\n', stderr: 'err\n' });
});

const EXIT_CODES: [string, string[], number, RegExp][] = [
  ['true', ['true'], 0, /^$/],
  ['a missing command', ['nosuch'], 127, /exec: "nosuch": executable file not found in \$PATH/],
  ['a missing path', ['/no/such'], 127, /no such file or directory/],
  ['a directory', ['/etc'], 126, /permission denied|is a directory/],
  ['a file that is not executable', ['/etc/passwd'], 126, /permission denied/],
  ['killed by a signal', ['sh', '-c', 'kill -9 $$; sh -c "kill -TERM \\$\\$"; exit $?'], 143, /Terminated/],
];
for (const [title, command, code, stderr] of EXIT_CODES) {
  test.serial(`exit code of ${title} is ${code}`, async (t) => {
    const result = await box([], command);
    t.is(result.code, code, result.stderr);
    t.regex(result.stderr, stderr);
  });
}

const REFUSED: [string, string[], RegExp][] = [
  ['an unknown flag', ['--nosuch'], /unknown flag: --nosuch/],
  [
    'an unknown user',
    ['-u', 'nobodyhere'],
    /unable to find user nobodyhere: no matching entries in passwd file/,
  ],
  ['a uid past 2^31', ['-u', '4294967296'], /uids and gids must be in range 0-2147483647/],
  ['a relative working directory', ['-w', 'rel'], /working directory 'rel' is invalid/],
  ['a bad name', ['--name', 'a'], /Invalid container name \(a\)/],
  [
    'a working directory that is a file',
    ['-w', '/etc/passwd'],
    /Cannot mkdir: \/etc\/passwd is not a directory/,
  ],
  ['a relative volume target', ['-v', '/tmp:rel'], /mount path must be absolute/],
  ['a volume over /proc', ['-v', 'data:/proc'], /\/proc/],
  [
    'a health check that is none',
    ['--no-healthcheck', '--health-cmd', 'true'],
    /--no-healthcheck conflicts with --health-\* options/,
  ],
  ['an unknown network', ['--network', 'nosuch'], /network nosuch not found/],
];
for (const [title, flags, stderr] of REFUSED) {
  test.serial(`${title} is refused with 125 and a reason`, async (t) => {
    const result = await box(flags, ['true']);
    t.is(result.code, 125, result.stderr);
    t.regex(result.stderr, stderr);
    t.notRegex(result.stderr, /^\s+at /m, 'no stack trace for a user’s mistake');
  });
}

test.serial('an image that is nowhere, and a pull that is forbidden', async (t) => {
  const result = await store.tsrun(['run', '--pull', 'never', 'nosuch:1', 'true']);
  t.is(result.code, 125);
  t.regex(result.stderr, /No such image: nosuch:1/);
});

test.serial('an empty command', async (t) => {
  const result = await box(['--entrypoint', ''], []);
  t.is(result.code, 125, result.stderr);
  t.regex(result.stderr, /no command specified/i);
});

test.serial('without -i the program reads an end of file at once', async (t) => {
  t.is((await box([], ['cat'], 'not seen')).stdout, '');
});

test.serial('environment: image, -e, -e NAME, --env-file, and HOME last', async (t) => {
  const file = join(dir, 'env');
  writeFileSync(file, '# comment\nFROM_FILE="quoted"\nOVERRIDDEN=file\nHOST_VALUE\n');
  const result = await store.tsrun(
    [
      'run',
      '--rm',
      '--network',
      'none',
      '--env-file',
      file,
      '-e',
      'OVERRIDDEN=flag',
      '-e',
      'COPIED',
      '-h',
      'box',
      'busybox',
      'env',
    ],
    { env: { HOST_VALUE: 'from the host', COPIED: 'copied' } },
  );
  t.deepEqual(result.stdout.trimEnd().split('\n'), [
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'HOSTNAME=box',
    'FROM_FILE="quoted"',
    'OVERRIDDEN=flag',
    'HOST_VALUE=from the host',
    'COPIED=copied',
    'HOME=/root',
  ]);
});

test.serial('users: by name, by number, with groups', async (t) => {
  t.is(
    (await box(['-u', 'www-data'], ['id'])).stdout,
    'uid=33(www-data) gid=33(www-data) groups=33(www-data)\n',
  );
  t.is((await box(['-u', '1000:100'], ['sh', '-c', 'id -u; id -g; echo $HOME'])).stdout, '1000\n100\n/\n');
});

test.serial('working directory is made, entrypoint replaced, hostname set', async (t) => {
  t.is((await sh('pwd; hostname', '-w', '/made/here', '-h', 'a.b')).stdout, '/made/here\na.b\n');
  t.is((await box(['--entrypoint', 'echo'], ['x', 'y'])).stdout, 'x y\n');
  t.regex((await sh('hostname')).stdout, /^[0-9a-f]{12}\n$/);
});

test.serial('volumes: bind, read-only bind, named (kept), anonymous (removed with --rm)', async (t) => {
  writeFileSync(join(dir, 'in'), 'from the host\n');
  t.is((await sh('cat /d/in; echo back > /d/out', '-v', `${dir}:/d`)).stdout, 'from the host\n');
  t.is(readFileSync(join(dir, 'out'), 'utf8'), 'back\n');
  t.regex((await sh('echo no > /d/out', '-v', `${dir}:/d:ro`)).stderr, /Read-only file system/);
  t.is((await sh('echo kept > /v/file', '-v', 'named:/v')).code, 0);
  t.is((await sh('cat /v/file', '-v', 'named:/v')).stdout, 'kept\n');
  t.is((await sh('stat -c %a:%u /var/www/x', '-v', 'filled:/etc', '-v', '/var/www/x')).stdout, '755:0\n');
  t.is(
    (await sh('cat /f/passwd | head -1', '-v', 'filled:/f')).stdout,
    'root:x:0:0:root:/root:/bin/sh\n',
    'copied up from the image',
  );
});

test.serial('a bind source that is missing is made, and its creation is told', async (t) => {
  const source = join(dir, 'typo');
  const result = await sh('ls /t', '-v', `${source}:/t`);
  t.is(result.code, 0, result.stderr);
  t.true(statSync(source).isDirectory());
});

/** The logs of a container as soon as its stdout is `complete`: it runs on while we look. */
async function logsOnce(name: string, complete: (stdout: string) => boolean) {
  for (;;) {
    const logs = await store.tsrun(['logs', name]);
    if (complete(logs.stdout)) return logs;
  }
}

test.serial('-d prints the id; logs, ps and rm know the container', async (t) => {
  const id = (
    await store.ok(
      'run',
      '-d',
      '--name',
      'web',
      '--network',
      'none',
      'busybox',
      'sh',
      '-c',
      'echo one; echo two >&2; echo three; sleep 1000',
    )
  ).trim();
  t.regex(id, /^[0-9a-f]{64}$/);
  t.regex(
    await store.ok('ps'),
    new RegExp(`^${id.slice(0, 12)} +busybox +"sh -c 'echo one; ec…" .* Up .* web$`, 'm'),
  );
  const logs = await logsOnce('web', (text) => text.endsWith('three\n'));
  t.is(logs.stdout, 'one\nthree\n');
  t.is(logs.stderr, 'two\n');
  const refused = await store.tsrun(['rm', 'web']);
  t.is(refused.code, 1);
  t.regex(refused.stderr, /You cannot remove a running container [0-9a-f]{64}\./);
  t.is(await store.ok('rm', '-f', 'web'), 'web\n');
  t.deepEqual(await store.tsrun(['rm', '-f', 'web']), {
    code: 0,
    stdout: '',
    stderr: 'tsrun: No such container: web\n',
  });
});

test.serial('a name that is taken is a conflict', async (t) => {
  const id = (await store.ok('create', '--name', 'taken', 'busybox')).trim();
  const result = await store.tsrun(['run', '--name', 'taken', 'busybox', 'true']);
  t.is(result.code, 125);
  t.regex(result.stderr, new RegExp(`The container name "/taken" is already in use by container "${id}"`));
  await store.ok('rm', 'taken');
});

test.serial('an ended container keeps its output and its code until rm', async (t) => {
  await store.tsrun([
    'run',
    '--name',
    'ended',
    '--network',
    'none',
    'busybox',
    'sh',
    '-c',
    'echo last words; exit 3',
  ]);
  t.regex(await store.ok('ps', '-a'), /Exited \(3\) .* ended$/m);
  t.is(await store.ok('logs', 'ended'), 'last words\n');
  t.is(
    await store.ok('inspect', '-f', '{{.State.ExitCode}} {{.State.Status}} {{.Name}}', 'ended'),
    '3 exited /ended\n',
  );
  await store.ok('rm', 'ended');
});

test.serial('a signal to the client reaches the program', async (t) => {
  const child = store.start([
    'run',
    '--rm',
    '--network',
    'none',
    'busybox',
    'sh',
    '-c',
    'trap "echo caught; exit 7" TERM; echo ready; while :; do sleep 0.1; done',
  ]);
  let output = '';
  const ready = new Promise<void>((done) => {
    child.stdout.on('data', (data: Buffer) => {
      output += data.toString();
      if (output.includes('ready')) done();
    });
  });
  const closed = new Promise<number | null>((done) => child.once('close', done));
  await ready;
  child.kill('SIGTERM');
  t.is(await closed, 7);
  t.is(output, 'ready\ncaught\n');
});

test.serial('a terminal: size before exec, resize, keys, and the outer terminal restored', async (t) => {
  const terminal = new Terminal("env 'PS1=outer$ ' bash --norc --noprofile", {
    env: store.environment(),
    cols: 90,
    rows: 30,
  });
  t.teardown(() => terminal.end());
  terminal.type(
    `stty -a > ${dir}/before; ${TSRUN} run --rm -it --network none busybox sh; stty -a > ${dir}/after`,
  );
  terminal.press('Enter');
  await terminal.waitFor(/\/ # $/m);
  terminal.type('stty size; tty; test -t 2 && echo stderr is a tty');
  terminal.press('Enter');
  await terminal.waitFor(/30 90\n\/dev\/(pts\/0|console)\nstderr is a tty/);
  terminal.resize(100, 35);
  terminal.type('stty size');
  terminal.press('Enter');
  await terminal.waitFor(/35 100\n/);
  terminal.type("sh -c 'echo going; exec sleep 1000'");
  terminal.press('Enter');
  await terminal.waitFor(/^going$/m);
  terminal.press('C-c');
  terminal.type('echo interrupted $?');
  terminal.press('Enter');
  await terminal.waitFor(/^interrupted 130$/m);
  terminal.type('exit 5');
  terminal.press('Enter');
  await terminal.waitFor(/outer\$ $/m);
  terminal.type('echo done $?');
  terminal.press('Enter');
  await terminal.waitFor(/^done 0$/m);
  t.is(
    readFileSync(join(dir, 'after'), 'utf8').replace(/rows.*columns[^;]*;/, ''),
    readFileSync(join(dir, 'before'), 'utf8').replace(/rows.*columns[^;]*;/, ''),
  );
});

test.serial('detach keys leave the container running', async (t) => {
  const terminal = new Terminal(
    `sh -c '${TSRUN} run -it --name away --network none busybox sh; echo left with $?'`,
    { env: store.environment() },
  );
  t.teardown(() => terminal.end());
  await terminal.waitFor(/\/ # $/m);
  terminal.press('C-p', 'C-q');
  await terminal.waitFor(/left with 0/);
  t.regex(await store.ok('ps'), /Up .* away$/m);
  await store.ok('rm', '-f', 'away');
});

test.serial('-t needs a terminal on stdin when -i is given', async (t) => {
  const result = await box(['-it'], ['true']);
  t.is(result.code, 1);
  t.regex(result.stderr, /the input device is not a TTY/);
});

test.serial('network host and none', async (t) => {
  t.is((await sh('ls /sys/class/net')).stdout, 'lo\n');
  const host = await store.tsrun([
    'run',
    '--rm',
    '--network',
    'host',
    'busybox',
    'readlink',
    '/proc/self/ns/net',
  ]);
  t.is(host.stdout.trim(), readlinkSync('/proc/self/ns/net'));
});

test.serial('the default network: address, route, names', async (t) => {
  const result = await store.tsrun([
    'run',
    '--rm',
    '-h',
    'named',
    'busybox',
    'sh',
    '-c',
    'ip -4 -o addr show eth0; ip route | head -1; cat /etc/hosts; cat /etc/hostname; ping -c 1 -W 2 $(ip route | sed -n "s/default via \\([0-9.]*\\).*/\\1/p") >/dev/null && echo gateway answers',
  ]);
  t.is(result.code, 0, result.stderr);
  const address = /inet ([0-9.]+)\/16/.exec(result.stdout)?.[1];
  t.truthy(address, result.stdout);
  t.regex(result.stdout, /^default via [0-9.]+ dev eth0/m);
  t.true(result.stdout.includes(`${address}\tnamed\n`));
  t.regex(result.stdout, /^gateway answers$/m);
});

test.serial('--add-host: host-gateway is the address of the bridge', async (t) => {
  const script = 'ip route | sed -n "s/default via \\([0-9.]*\\).*/\\1/p"; grep "outside$" /etc/hosts';
  const flags = ['--rm', '--add-host', 'outside:host-gateway'];
  const result = await store.tsrun(['run', ...flags, 'busybox', 'sh', '-c', script]);
  const [gateway, line] = result.stdout.split('\n');
  t.is(line, `${gateway}\toutside`, result.stderr);
});
