/** Containers that share: `--pid container:X`, `--ipc container:X`, and parts of a volume. */
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { Store } from '../helpers/cli.js';
import { leaksAfterSettling } from '../helpers/leaks.js';

let store: Store;
/** Full id of the container that the others join. */
let donor: string;

const run = (...args: string[]) => store.tsrun(['run', '--network', 'none', ...args]);
const inspect = async (name: string, field: string) =>
  (await store.ok('inspect', '-f', `{{${field}}}`, name)).trim();

test.serial.before(async () => {
  store = new Store();
  const args = ['run', '-d', '--network', 'none', '--name', 'donor', '--ipc', 'shareable', 'busybox'];
  donor = (await store.ok(...args, 'sh', '-c', 'echo mine > /dev/shm/f; exec sleep 7777')).trim();
});

test.after.always(async (t) => {
  const { stdout } = await store.tsrun(['ps', '-aq']);
  await store.tsrun(['rm', '-fv', ...stdout.split('\n').filter(Boolean)]);
  t.deepEqual(await leaksAfterSettling(store.root), []);
  await store.destroy();
});

test.serial('--pid: both see each other, and signal each other', async (t) => {
  await store.ok(
    ...['run', '-d', '--network', 'none', '--name', 'joiner', '--pid', 'container:donor', 'busybox'],
    ...['sh', '-c', 'trap "exit 5" USR1; while :; do sleep 0.1; done'],
  );
  t.is(await inspect('joiner', '.HostConfig.PidMode'), `container:${donor}`);
  const namespaces = 'readlink /proc/self/ns/pid; readlink /proc/self/ns/mnt';
  const [theirs, ours] = await Promise.all(
    ['donor', 'joiner'].map(async (name) =>
      (await store.ok('exec', name, 'sh', '-c', namespaces)).split('\n'),
    ),
  );
  t.is(ours?.[0], theirs?.[0]);
  t.not(ours?.[1], theirs?.[1]);
  t.regex(await store.ok('exec', 'joiner', 'ps', '-ef'), /\b1 root +sleep 7777/);
  const listed = await store.ok('exec', 'donor', 'ps', '-ef');
  const [, pid = ''] = /(\d+) root +sh -c trap/.exec(listed) ?? [];
  t.regex(pid, /^\d+$/, listed);
  await store.ok('exec', 'donor', 'kill', '-USR1', pid);
  t.is(await store.ok('wait', 'joiner'), '5\n');
});

test.serial('--pid: with its first process everything of the container ends', async (t) => {
  const out = await run('--rm', '--pid', 'container:donor', 'busybox', 'sh', '-c', 'sleep 8888 & echo on');
  t.deepEqual([out.code, out.stdout], [0, 'on\n'], out.stderr);
  t.notRegex(await store.ok('exec', 'donor', 'ps', '-ef'), /sleep 8888/);
});

test.serial('--ipc: one /dev/shm and one set of queues', async (t) => {
  const script =
    'cat /dev/shm/f; echo yours > /dev/shm/g; grep " /dev/shm " /proc/mounts; readlink /proc/self/ns/ipc';
  const out = await run('--rm', '--ipc', 'container:donor', 'busybox', 'sh', '-c', script);
  const [kept, mount, namespace] = out.stdout.split('\n');
  t.is(kept, 'mine', out.stderr);
  t.regex(mount ?? '', /^shm \/dev\/shm tmpfs rw,nosuid,nodev,noexec/);
  t.is(namespace, (await store.ok('exec', 'donor', 'readlink', '/proc/self/ns/ipc')).trim());
  t.is(await store.ok('exec', 'donor', 'cat', '/dev/shm/g'), 'yours\n');
  // Who joins can be joined, as can who has the host's.
  await store.ok(
    'run',
    '-d',
    '--network',
    'none',
    '--name',
    'second',
    '--ipc',
    'container:donor',
    'busybox',
    'sleep',
    '7',
  );
  t.is((await run('--rm', '--ipc', 'container:second', 'busybox', 'cat', '/dev/shm/f')).stdout, 'mine\n');
  await store.ok('rm', '-f', 'second');
});

test.serial('--ipc: a link that the donor puts in place of its /dev/shm leads nowhere', async (t) => {
  const script = 'umount /dev/shm && rmdir /dev/shm && ln -s /etc /dev/shm && echo done; exec sleep 7777';
  const flags = ['--privileged', '--ipc', 'shareable', '--name', 'liar'];
  await store.ok('run', '-d', '--network', 'none', ...flags, 'busybox', 'sh', '-c', script);
  while (!(await store.ok('logs', 'liar')).includes('done'));
  const out = await run('--rm', '--ipc', 'container:liar', 'busybox', 'ls', '/dev/shm');
  t.is(out.code, 125);
  t.regex(out.stderr, /mounts\.mount: \/dev\/shm: too many symbolic links/);
  await store.ok('rm', '-f', 'liar');
});

test.serial('who cannot be joined, in Docker’s words', async (t) => {
  await store.ok('create', '--name', 'idle', '--ipc', 'shareable', 'busybox', 'true');
  const idle = await inspect('idle', '.Id');
  const closed = (await store.ok('run', '-d', '--network', 'none', 'busybox', 'sleep', '7777')).trim();
  const table: [string[], string][] = [
    [['--pid', 'container:idle'], `container ${idle} is not running`],
    [['--ipc', 'container:idle'], `can't join IPC of container ${idle}: container ${idle} is not running`],
    [['--pid', 'container:nosuch'], 'No such container: nosuch'],
    [['--ipc', 'container:nosuch'], 'No such container: nosuch'],
    [['--name', 'self', '--pid', 'container:self'], 'No such container: self'],
    [
      ['--ipc', `container:${closed.slice(0, 12)}`],
      `can't join IPC of container ${closed}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)`,
    ],
    [['--uts', 'container:donor'], '--uts: invalid UTS mode'],
  ];
  const before = await store.ok('ps', '-aq');
  for (const [flags, message] of table) {
    const { code, stderr } = await run('--rm', ...flags, 'busybox', 'true');
    t.is(code, 125, flags.join(' '));
    t.is(stderr.split('\n')[0], `tsrun: ${message}`);
  }
  t.is(await store.ok('ps', '-aq'), before, '--rm also when the start is refused');
  await store.ok('rm', '-f', closed, 'idle');
});

test.serial('the end of the donor is the end of who joined it; its next run is found', async (t) => {
  const flags = ['--pid', 'container:donor', '--ipc', 'container:donor', '--name', 'tail'];
  await store.ok('run', '-d', '--network', 'none', ...flags, 'busybox', 'sleep', '9999');
  await store.ok('restart', '-t', '0', 'donor');
  t.is(await store.ok('wait', 'tail'), '137\n');
  t.is(await inspect('tail', '.State.Status'), 'exited');
  t.is(await inspect('tail', '.State.Error'), '');
  await store.ok('start', 'tail');
  t.regex(await store.ok('exec', 'donor', 'ps', '-ef'), /sleep 9999/);
  await store.ok('kill', 'donor');
  t.is(await store.ok('wait', 'tail'), '137\n');
  const refused = await store.tsrun(['start', 'tail']);
  t.deepEqual([refused.code, refused.stdout], [1, '']);
  t.regex(refused.stderr, new RegExp(`container ${donor} is not running`));
  await store.ok('rm', 'tail');
});

test.serial('volume-subpath: a part of a volume, and no way out of it', async (t) => {
  const fill = 'mkdir -p /v/a/b; echo deep > /v/a/b/f; echo top > /v/f; ln -s a/b /v/in';
  t.is((await run('--rm', '-v', 'parts:/v', 'busybox', 'sh', '-c', fill)).code, 0);
  const data = join(store.root, 'volumes/parts/_data');
  symlinkSync('/etc', join(data, 'out'));
  symlinkSync('../../..', join(data, 'up'));
  const part = (subpath: string, more = '') =>
    `type=volume,src=parts,dst=/m,volume-subpath=${subpath}${more}`;
  const read = async (subpath: string, command: string[]) =>
    (await run('--rm', '--mount', part(subpath), 'busybox', ...command)).stdout;
  t.is(await read('a/b', ['ls', '/m']), 'f\n');
  t.is(await read('in', ['cat', '/m/f']), 'deep\n', 'a link within the volume');
  t.is(await read('f', ['cat', '/m']), 'top\n', 'a single file');
  const refused: [string, RegExp][] = [
    ['out', /path concatenation escapes the base directory, base: .*\/parts\/_data, subpath: out/],
    ['up', /path concatenation escapes the base directory/],
    ['up/containers', /path concatenation escapes the base directory/],
    ['nosuch', /cannot access path .*\/parts\/_data\/nosuch: no such file or directory/],
    ['../x', /subpath must be a relative path within the volume/],
  ];
  for (const [subpath, message] of refused) {
    const { code, stderr } = await run('--rm', '--mount', part(subpath), 'busybox', 'true');
    t.is(code, 125, subpath);
    t.regex(stderr, message);
  }
  // Who borrows gets no more than that part.
  const flags = ['--name', 'lender', '--mount', part('a', ',readonly')];
  await store.ok('create', ...flags, 'busybox', 'true');
  const borrowed = await run('--rm', '--volumes-from', 'lender', 'busybox', 'sh', '-c', 'ls /m; touch /m/x');
  t.is(borrowed.stdout, 'b\n');
  t.regex(borrowed.stderr, /Read-only file system/);
});
