/** `cp` as Docker's users know it, on containers that run, are paused, have ended or never ran. */

import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { run, Store, TSRUN } from '../helpers/cli.js';
import { leaksAfterSettling } from '../helpers/leaks.js';
import { Terminal } from '../helpers/terminal.js';

let store: Store;
let dir: string;

test.serial.before('store and directory', () => {
  store = new Store();
  dir = mkdtempSync(join(tmpdir(), 'tsrun-cp-'));
});

test.afterEach.always('nothing is left behind', async (t) => {
  const { stdout } = await store.tsrun(['ps', '-aq', '--no-trunc']);
  const ids = stdout.split('\n').filter(Boolean);
  if (ids.length > 0) await store.ok('rm', '-fv', ...ids);
  t.deepEqual(await leaksAfterSettling(store.root), []);
});

test.after.always(async () => {
  await store.destroy();
  rmSync(dir, { recursive: true, force: true });
});

/** A new directory with what `make` puts there. */
function local(make: (at: string) => void = () => {}): string {
  const at = mkdtempSync(join(dir, 'l'));
  make(at);
  return at;
}

function start(name: string, script: string, ...flags: string[]) {
  const forever = `${script}\necho ready; exec sleep 1000000`;
  return store.ok(
    ...['run', '-d', '--name', name, '--network', 'none', ...flags, 'busybox', 'sh', '-c', forever],
  );
}

async function ready(name: string): Promise<void> {
  while (!(await store.ok('logs', name)).includes('ready'));
}

async function refused(args: string[], words: RegExp | string, t: import('ava').ExecutionContext) {
  const result = await store.tsrun(['cp', ...args]);
  t.is(result.code, 1, args.join(' '));
  t.is(result.stdout, '');
  if (typeof words === 'string') t.is(result.stderr.split('\n')[0], `tsrun: ${words}`, args.join(' '));
  else t.regex(result.stderr, words, args.join(' '));
}

test.serial(
  'what goes into a container that never ran is there when it runs, volumes included',
  async (t) => {
    const at = local((l) => {
      mkdirSync(join(l, 'tree/sub'), { recursive: true });
      writeFileSync(join(l, 'tree/sub/file'), 'deep');
      symlinkSync('sub/file', join(l, 'tree/link'));
      writeFileSync(join(l, 'own'), 'x');
      chownSync(join(l, 'own'), 1234, 2345);
      chmodSync(join(l, 'own'), 0o4751);
    });
    const script = 'stat -c "%n %a %u:%g" /own /v/own; cat /tree/link; ls /etc2; cat /bound/back';
    const bound = local();
    await store.ok(
      ...[
        'create',
        '--name',
        'box',
        '--network',
        'none',
        '-v',
        'vol:/v',
        '-v',
        'filled:/etc2',
        '-v',
        `${bound}:/bound`,
      ],
      ...['-v', 'filled2:/etc', 'busybox', 'sh', '-c', script],
    );
    t.is(await store.ok('cp', join(at, 'own'), 'box:/'), '');
    await store.ok('cp', join(at, 'own'), 'box:/v/');
    await store.ok('cp', join(at, 'own'), 'box:/etc/own');
    await store.ok('cp', join(at, 'tree'), 'box:/');
    await store.ok('cp', join(at, 'tree/sub/file'), 'box:/bound/back');
    t.is(readFileSync(join(bound, 'back'), 'utf8'), 'deep');
    // The volume over /etc was filled from the image before the copy came.
    const filled = readdirSync(join(store.root, 'volumes/filled2/_data'));
    t.true(filled.includes('passwd') && filled.includes('own'), String(filled));
    t.is(await store.ok('start', '-a', 'box'), '/own 4751 1234:2345\n/v/own 4751 1234:2345\ndeepdeep');
    t.regex(await store.ok('diff', 'box'), /^A \/own$/m);
    await store.ok('volume', 'rm', '-f', 'none');
  },
);

test.serial('out of a container that runs, is paused, has ended', async (t) => {
  await start(
    'box',
    'echo out > /file; chown 7:8 /file; chmod 4755 /file; mkdir /t; echo tmp > /t/x',
    '--tmpfs',
    '/t',
  );
  await ready('box');
  const at = local();
  await store.ok('cp', 'box:/file', at);
  const stat = statSync(join(at, 'file'));
  t.is(readFileSync(join(at, 'file'), 'utf8'), 'out\n');
  t.deepEqual([stat.uid, stat.gid, stat.mode & 0o7777], [0, 0, 0o755], 'it is ours, and gives nobody rights');
  await store.ok('cp', '-a', 'box:/file', join(at, 'archive'));
  const kept = statSync(join(at, 'archive'));
  t.deepEqual([kept.uid, kept.gid, kept.mode & 0o7777], [7, 8, 0o4755]);
  await store.ok('cp', 'box:/t/x', join(at, 'tmp'));
  t.is(readFileSync(join(at, 'tmp'), 'utf8'), 'tmp\n', 'a tmpfs of a container that runs');
  await store.ok('pause', 'box');
  await store.ok('cp', 'box:/file', join(at, 'paused'));
  await store.ok('cp', join(at, 'paused'), 'box:/back');
  await store.ok('unpause', 'box');
  t.is(await store.ok('exec', 'box', 'cat', '/back'), 'out\n');
  await store.ok('kill', 'box');
  await store.ok('wait', 'box');
  await store.ok('cp', 'box:/back', join(at, 'ended'));
  t.is(readFileSync(join(at, 'ended'), 'utf8'), 'out\n');
});

test.serial('names: into a directory, as a new one, its content, over a file', async (t) => {
  await start(
    'box',
    'mkdir /dir /dst; echo 1 > /dir/a; echo old > /old; ln -s /dst /link; ln -s nowhere /dang',
  );
  await ready('box');
  const at = local((l) => {
    mkdirSync(join(l, 'd'));
    writeFileSync(join(l, 'd/x'), 'x\n');
    writeFileSync(join(l, 'f'), 'new\n');
  });
  await store.ok('cp', join(at, 'd'), 'box:/dst');
  await store.ok('cp', join(at, 'd'), 'box:/named');
  await store.ok('cp', `${at}/d/.`, 'box:/dst');
  await store.ok('cp', join(at, 'f'), 'box:/old');
  await store.ok('cp', join(at, 'f'), 'box:/link');
  await store.ok('cp', join(at, 'f'), 'box:/dang');
  t.is(
    await store.ok('exec', 'box', 'sh', '-c', 'cd /; find dst named nowhere | sort; cat old'),
    'dst\ndst/d\ndst/d/x\ndst/f\ndst/x\nnamed\nnamed/x\nnowhere\nnew\n',
  );
  await store.ok('cp', 'box:/dir', at);
  await store.ok('cp', 'box:/dir', join(at, 'other'));
  await store.ok('cp', 'box:/dir/.', at);
  await store.ok('cp', 'box:/link', at);
  await store.ok('cp', '-L', 'box:/link', join(at, 'followed'));
  t.deepEqual(readdirSync(at).sort(), ['a', 'd', 'dir', 'f', 'followed', 'link', 'other']);
  t.is(readlinkSync(join(at, 'link')), '/dst');
  t.deepEqual(readdirSync(join(at, 'other')), ['a']);
  t.deepEqual(readdirSync(join(at, 'followed')).sort(), ['d', 'f', 'x']);
});

test.serial('local names with colons, relative ones, and links at the destination', async (t) => {
  await store.ok('create', '--name', 'box', 'busybox');
  const at = local((l) => {
    writeFileSync(join(l, 'a:b'), 'colon');
    symlinkSync('target', join(l, 'link'));
  });
  const here = (...args: string[]) =>
    run('sh', ['-c', 'cd "$1"; shift; exec "$@"', 'sh', at, TSRUN, 'cp', ...args], {
      env: store.environment(),
    });
  t.is((await here('./a:b', 'box:/f')).code, 0);
  t.is((await here('box:/f', 'link')).code, 0);
  t.is(readFileSync(join(at, 'target'), 'utf8'), 'colon', 'the link at the destination is followed');
  t.is((await here('box:f', '.')).code, 0);
  t.is(readFileSync(join(at, 'f'), 'utf8'), 'colon', 'paths in a container start at its root');
});

test.serial('refusals in Docker’s words', async (t) => {
  const at = local((l) => {
    writeFileSync(join(l, 'f'), 'f');
    mkdirSync(join(l, 'd/f'), { recursive: true });
  });
  const f = join(at, 'f');
  const d = join(at, 'd');
  await store.ok('create', '--name', 'c2', '--read-only', '-v', '/v', '-v', `${at}:/ro:ro`, 'busybox');
  await refused(['c2:/nosuch', '-'], 'Could not find the file /nosuch in container c2', t);
  await refused(['c2:/proc/cpuinfo', at], 'Could not find the file /proc/cpuinfo in container c2', t);
  await refused([f, 'c2:/nosuch/x'], 'Could not find the file /nosuch in container c2', t);
  await refused([f, 'c2:/nosuch/'], 'no such directory', t);
  await refused([d, 'c2:/etc/passwd'], 'cannot copy directory', t);
  await refused([f, 'c2:/new'], 'container rootfs is marked read-only', t);
  await refused([f, 'c2:/ro/new'], 'mounted volume is marked read-only', t);
  await store.ok('cp', f, 'c2:/v/new');
  await refused(
    ['c2:/etc/passwd', join(at, 'no/such')],
    `invalid output path: directory "${join(at, 'no')}" does not exist`,
    t,
  );
  await refused(['c2:/etc/passwd', `${at}/new/`], 'no such directory', t);
  await refused(['c2:/etc', f], 'cannot copy directory', t);
  await refused(
    ['c2:/etc/passwd', '/dev/null'],
    'invalid output path: "/dev/null" must be a directory or a regular file: got a device',
    t,
  );
  await refused([join(at, 'nosuch'), 'c2:/v'], `lstat ${join(at, 'nosuch')}: no such file or directory`, t);
  await refused(['c2:/etc/passwd', 'c2:/v'], 'copying between containers is not supported', t);
  await refused([f, f], 'must specify at least one container source', t);
  await refused(['', 'c2:/v'], 'source can not be empty', t);
  await refused([f, ''], 'destination can not be empty', t);
  await refused(['nosuch:/', '-'], 'No such container: nosuch', t);
  mkdirSync(join(at, 'into/passwd'), { recursive: true });
  await refused(
    ['c2:/etc/passwd', join(at, 'into')],
    `cannot overwrite directory "${at}/into/passwd" with non-directory "${at}/into"`,
    t,
  );
  const several = await store.tsrun(['cp', '-x', f, 'c2:/']);
  t.is(several.code, 125);
});

test.serial('archives on stdin and stdout', async (t) => {
  await store.ok('create', '--name', 'box', 'busybox');
  const at = local((l) => {
    writeFileSync(join(l, '.wh.file'), 'no whiteout');
    writeFileSync(join(l, 'b'), 'b');
  });
  const shell = (script: string) =>
    run('sh', ['-c', `cd "$1"; ${script}`, 'sh', at, TSRUN], {
      env: store.environment(),
    });
  const pipes = `T="$2"; tar cf - .wh.file b | "$T" cp - box:/tmp && tar czf - b | "$T" cp - box:/ && "$T" cp box:/tmp - | tar tf -`;
  t.deepEqual(await shell(pipes), { code: 0, stdout: 'tmp/\ntmp/.wh.file\ntmp/b\n', stderr: '' });
  t.is((await shell('"$2" cp box:/b - | tar xOf -')).stdout, 'b', 'a compressed archive was unpacked');
  t.is(
    (await shell('"$2" cp - box:/etc/passwd < /dev/null')).stderr.split('\n')[0],
    'tsrun: destination "box:/etc/passwd" must be a directory',
  );
  t.is((await shell('echo nothing | "$2" cp - box:/tmp')).stderr.split('\n')[0], 'tsrun: unexpected EOF');
  t.is((await shell('"$2" cp - box:/tmp < /dev/null')).code, 0);
});

test.serial('a terminal is told the size, and nobody else is', async (t) => {
  await store.ok('create', '--name', 'box', 'busybox');
  const at = local((l) => writeFileSync(join(l, 'f'), 'small'));
  const terminal = new Terminal(`${TSRUN} cp ${at}/f box:/ && ${TSRUN} cp -q ${at}/f box:/ && echo over`, {
    env: store.environment(),
  });
  t.teardown(() => terminal.end());
  const screen = await terminal.waitFor(/^over/m);
  t.regex(screen, /^Successfully copied 2\.05kB to box:\/\nover/);
});

test.serial('200 MB both ways, byte for byte', async (t) => {
  const at = local();
  await run('sh', ['-c', `head -c 200000000 /dev/urandom > ${at}/big`]);
  await start('box', ':');
  await store.ok('cp', join(at, 'big'), 'box:/');
  await store.ok('cp', 'box:/big', join(at, 'back'));
  t.is((await run('cmp', [join(at, 'big'), join(at, 'back')])).code, 0);
});

test.serial('devices, links, holes and attributes', async (t) => {
  await start(
    'box',
    'mkdir /d; cd /d; mkfifo p; mknod n c 1 3; echo x > a; ln a b; ln -s ../../../etc/passwd up',
  );
  await ready('box');
  const at = local();
  await store.ok('cp', 'box:/d', at);
  const node = lstatSync(join(at, 'd/n'));
  t.is(node.mode & 0o777, 0o600, 'a device of a container is nobody’s here');
  t.is(lstatSync(join(at, 'd/a')).ino, lstatSync(join(at, 'd/b')).ino);
  t.is(readlinkSync(join(at, 'd/up')), '../../../etc/passwd');
  await store.ok('cp', join(at, 'd'), 'box:/again');
  t.is(
    await store.ok('exec', 'box', 'sh', '-c', 'ls /again; readlink /again/up'),
    'a\nb\nn\np\nup\n../../../etc/passwd\n',
  );
});

test.serial('a file that something is mounted on is not replaced', async (t) => {
  await start('box', ':');
  await ready('box');
  const at = local((l) => writeFileSync(join(l, 'hosts'), 'x'));
  const result = await store.tsrun(['cp', join(at, 'hosts'), 'box:/etc/hosts']);
  t.is(result.code, 1);
  t.regex(result.stderr, /^tsrun: unlinkat \/etc\/hosts: device or resource busy/);
  t.regex(await store.ok('exec', 'box', 'cat', '/etc/hosts'), /localhost/);
  const sources = await store.ok('exec', 'box', 'ls', '/etc');
  t.notRegex(sources, /tmp/, 'nothing half-made stays');
});

test.serial('a client that is killed leaves nothing, and lets go of the container', async (t) => {
  await store.ok('create', '--name', 'box', 'busybox');
  const at = local();
  await run('sh', ['-c', `head -c 20000000 /dev/urandom > ${at}/big`]);
  await store.ok('cp', join(at, 'big'), 'box:/');
  // Its archive fills the pipe, which nobody reads.
  const client = store.start(['cp', 'box:/big', '-']);
  await new Promise((resolve) => client.stdout.once('readable', resolve));
  const closed = new Promise((resolve) => client.once('exit', resolve));
  client.kill('SIGKILL');
  await closed;
  t.deepEqual(await leaksAfterSettling(store.root), []);
  t.is(await store.ok('start', '-a', 'box'), '');
});

test.serial('a disk that is full on either side', async (t) => {
  const at = local();
  await run('sh', ['-c', `head -c 8000000 /dev/urandom > ${at}/big`]);
  await store.ok('create', '--name', 'box', 'busybox');
  const script = `mkdir "$1/small"; mount -t tmpfs -o size=1m none "$1/small"
    "$2" cp "$1/big" box:/big; "$2" cp box:/big "$1/small/big"; echo "exit $?"; ls -A "$1/small"
    "$2" create --name small -v "$1/small:/small" busybox >/dev/null
    "$2" cp "$1/big" small:/small/; echo "exit $?"; ls -A "$1/small"; "$2" rm small >/dev/null`;
  const { stdout, stderr } = await run('unshare', ['-m', 'sh', '-c', script, 'sh', at, TSRUN], {
    env: store.environment(),
  });
  t.is(stdout, 'exit 1\nexit 1\n', 'and half a file is no file');
  t.regex(stderr, new RegExp(`^tsrun: write ${at}/small/big: no space left on device`));
  t.regex(stderr, /^tsrun: write \/small\/big: no space left on device/m);
  t.true(existsSync(join(at, 'big')));
});

/** Of the container, by what inspect says. */
async function life(name: string): Promise<{ status: string; restarts: number }> {
  const [status = '', restarts] = (
    await store.ok('inspect', '-f', '{{.State.Status}} {{.RestartCount}}', name)
  ).split(' ');
  return { status, restarts: Number(restarts) };
}

test.serial(
  'a container whose policy starts it again waits for a copy, and refuses one in between',
  async (t) => {
    // Ends when /end is there; the twin ends at once each time, and by that tells the time.
    const script = 'rm -f /end; seq 1 3000000 > /big; echo ready; while [ ! -e /end ]; do sleep 0.02; done';
    const box = (name: string, text: string) =>
      store.ok(
        ...['run', '-d', '--name', name, '--network', 'none', '--restart', 'always'],
        ...['busybox', 'sh', '-c', text],
      );
    await box('again', script);
    await ready('again');
    const copy = store.start(['cp', 'again:/big', '-']);
    await once(copy.stdout, 'readable');
    await store.ok('exec', 'again', 'touch', '/end');
    while ((await life('again')).status !== 'restarting');
    await box('twin', 'true');
    while ((await life('twin')).restarts < 3);
    t.deepEqual(await life('again'), { status: 'restarting', restarts: 1 });
    await once(copy.stdout.resume(), 'end');
    while ((await life('again')).status !== 'running');
    t.is((await life('again')).restarts, 1);
    while ((await life('twin')).status !== 'restarting');
    await refused(
      ['twin:/etc/passwd', '-'],
      /Container twin is restarting, wait until the container is running/,
      t,
    );
  },
);
