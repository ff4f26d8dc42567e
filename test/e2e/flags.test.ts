/** Flags of run by what they do inside, a few containers for many flags; the words of those that are refused. */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import test from 'ava';
import { run as execute, Store, TSRUN } from '../helpers/cli.js';
import { leaksAfterSettling } from '../helpers/leaks.js';

let store: Store;
let dir: string;

test.before(() => {
  store = new Store();
  dir = mkdtempSync(join(tmpdir(), 'tsrun-e2e-flags-'));
  mkdirSync(join(dir, 'source'));
  writeFileSync(join(dir, 'source/f'), 'hi\n');
});

test.after.always(async (t) => {
  await store.destroy();
  t.deepEqual(await leaksAfterSettling(store.root), []);
  rmSync(dir, { recursive: true, force: true });
});

const run = (...args: string[]) => store.tsrun(['run', '--rm', '--network', 'none', ...args]);
/** Lines that a shell script prints in a container with these flags. */
async function inside(flags: string[], script: string): Promise<string[]> {
  const { code, stdout, stderr } = await run(...flags, 'busybox', 'sh', '-c', script);
  if (code !== 0) throw new Error(`exit ${code}: ${stderr}`);
  return stdout.trimEnd().split('\n');
}

test.serial('limits are those of the cgroup', async (t) => {
  const v2 = existsSync('/sys/fs/cgroup/cgroup.controllers');
  const files = v2
    ? 'memory.max memory.low cpu.max cpuset.cpus pids.max'
    : 'memory/memory.limit_in_bytes memory/memory.soft_limit_in_bytes cpu/cpu.cfs_quota_us cpuset/cpuset.cpus pids/pids.max';
  const flags = '-m 64m --memory-reservation 32m --cpus 0.5 --cpuset-cpus 0 --pids-limit 20'.split(' ');
  const read = await inside(flags, `cd /sys/fs/cgroup; cat ${files}`);
  t.deepEqual(read, ['67108864', '33554432', v2 ? '50000 100000' : '50000', '0', '20']);
});

test.serial(
  'a read-only root: the files of names are read-only too, mounts of the user are not',
  async (t) => {
    const out = await inside(
      ['--read-only', '-v', 'data:/v', '--tmpfs', '/t:size=1m,mode=700,exec', '--hostname', 'a.b', '-w', '/'],
      'for f in /x /etc/hosts /etc/hostname /etc/resolv.conf /v/x /t/x /dev/shm/x; do (echo >> $f) 2>/dev/null && echo $f; done; ' +
        'grep " /t " /proc/mounts; hostname',
    );
    t.deepEqual(out, [
      '/v/x',
      '/t/x',
      '/dev/shm/x',
      'tmpfs /t tmpfs rw,nosuid,nodev,relatime,size=1024k,mode=700,inode64 0 0'.replace(
        /,inode64/,
        /inode64/.test(out[3] ?? '') ? ',inode64' : '',
      ),
      'a.b',
    ]);
  },
);

test.serial('devices: only what was allowed can be done with them', async (t) => {
  // Beside the default ones: FUSE.
  const node = join(dir, 'node');
  execFileSync('mknod', [node, 'c', '10', '229']);
  const out = await inside(
    [
      '--device',
      `${node}:/dev/only:r`,
      '--device',
      '/dev/zero:/dev/both',
      '--device-cgroup-rule',
      'c 1:9 rwm',
    ],
    'head -c0 /dev/only && echo read; (echo > /dev/only) 2>/dev/null || echo not written; ' +
      'echo > /dev/both && echo both; mknod /tmp/u c 1 9 && head -c1 /tmp/u | wc -c; ' +
      'mknod /tmp/m c 1 1; (head -c1 /tmp/m) 2>/dev/null || echo closed',
  );
  t.deepEqual(out, ['read', 'not written', 'both', '1', 'closed']);
});

test.serial('--platform: what is here of another one is not taken for it', async (t) => {
  await store.ok('run', '--rm', '--network', 'none', '--platform', 'linux', 'busybox', 'true');
  const other = process.arch === 'x64' ? 'linux/s390x' : 'linux/amd64';
  const wrong = await run('--platform', other, '--pull', 'never', 'busybox', 'uname');
  t.is(wrong.code, 125);
  t.regex(
    wrong.stderr,
    /image with reference busybox was found but does not match the specified platform: wanted/,
  );
  const unknown = await run('--platform', 'foo', 'busybox', 'true');
  t.is(unknown.code, 125);
  t.regex(
    unknown.stderr,
    /error parsing specified platform: "foo": unknown operating system or architecture/,
  );
});

test.serial('propagation: a source that hands nothing on is refused, one that does so does', async (t) => {
  const source = join(dir, 'source');
  const refused = await run('-v', `${source}:/m:rslave`, 'busybox', 'true');
  t.is(refused.code, 125);
  t.regex(refused.stderr, /path .*\/source is mounted on .* but it is not a shared or slave mount/);
  // Where mounts may be made: in a namespace of our own.
  const script = [
    `mount -t tmpfs none ${source} && mount --make-shared ${source} && mkdir ${source}/sub`,
    `id=$(${TSRUN} run -d --network none -v ${source}:/m:rslave busybox sleep 7777)`,
    `mount -t tmpfs none ${source}/sub && touch ${source}/sub/seen && ${TSRUN} exec $id ls /m/sub`,
    `${TSRUN} rm -f $id >/dev/null`,
  ].join(' && ');
  const env = store.environment();
  const seen = await execute('unshare', ['-m', '--propagation', 'private', 'sh', '-c', script], { env });
  t.deepEqual([seen.code, seen.stdout], [0, 'seen\n'], seen.stderr);
});

test.serial('logs: rotation by size and number, the driver none, a size that is none', async (t) => {
  const chatty = 'i=0; while [ $i -lt 400 ]; do echo line $i; i=$((i+1)); done';
  const options = ['--log-opt', 'max-size=4k', '--log-opt', 'max-file=3'];
  const id = (
    await store.ok('run', '-d', '--network', 'none', ...options, 'busybox', 'sh', '-c', chatty)
  ).trim();
  await store.ok('wait', id);
  const files = readdirSync(join(store.root, 'containers', id)).filter((name) => /^log/.test(name));
  t.is(files.length, 3, files.join(' '));
  t.regex(await store.ok('logs', '-n', '1', id), /^line 399$/m);
  const silent = (await store.ok('create', '--log-driver', 'none', 'busybox')).trim();
  const logs = await store.tsrun(['logs', silent]);
  t.is(logs.code, 1);
  t.regex(logs.stderr, /configured logging driver does not support reading/);
  t.regex(
    (await run('--log-opt', 'max-size=x', 'busybox')).stderr,
    /invalid size: 'x'|invalid value for max-size/,
  );
});

test.serial('logs: compressed when rotated, and what the options ask for beside each line', async (t) => {
  const chatty = 'i=0; while [ $i -lt 400 ]; do echo line $i; i=$((i+1)); done';
  const words = ['max-size=4k', 'max-file=4', 'compress=true', 'labels=tier', 'env=MODE', 'tag={{.Name}}'];
  const options = [...words.flatMap((text) => ['--log-opt', text]), '-l', 'tier=a"b', '-e', 'MODE=x'];
  const id = (
    await store.ok(
      'run',
      '-d',
      '--name',
      'chatty',
      '--network',
      'none',
      ...options,
      'busybox',
      'sh',
      '-c',
      chatty,
    )
  ).trim();
  await store.ok('wait', id);
  const { dir, names } = { dir: join(store.root, 'containers', id), names: ['log', 'log.2.gz', 'log.3.gz'] };
  const files = readdirSync(dir).filter((name) => /^log/.test(name));
  for (const name of names) t.true(files.includes(name), files.join(' '));
  const [line = ''] = gunzipSync(readFileSync(join(dir, 'log.3.gz')))
    .toString()
    .split('\n', 1);
  t.regex(
    line,
    /^\{"log":"line \d+\\n","stream":"stdout","attrs":\{"MODE":"x","tag":"chatty","tier":"a\\"b"\},"time":"[^"]*Z"\}$/,
  );
  t.is(await store.ok('logs', '-n', '1', id), 'line 399\n');
  t.regex(
    (await run('--log-opt', 'tag={{.No}}', 'busybox')).stderr,
    /log tag: unknown field in \{\{\.No\}\}/,
  );
});

test.serial('users and groups by what is in the image, directories made for nobody but root', async (t) => {
  const passwd = 'root:x:0:0::/root:/bin/sh\\nweb:x:33:44::/home/web:/bin/sh\\n';
  const group = 'root:x:0:\\nweb:x:44:\\nextra:x:55:web\\n';
  await store.ok(
    'run',
    '--name',
    'base',
    '--network',
    'none',
    'busybox',
    'sh',
    '-c',
    `printf '${passwd}' > /etc/passwd; printf '${group}' > /etc/group`,
  );
  await store.ok('commit', 'base', 'people');
  const show = 'echo $(id -u):$(id -g):$(id -G) $HOME $(pwd) $(stat -c %u:%a .)';
  const table: [string, string][] = [
    ['web', '33:44:44 55 /home/web'],
    ['33', '33:44:44 55 /home/web'],
    ['web:extra', '33:55:55 /home/web'],
    ['web:99', '33:99:99 /home/web'],
    ['7', '7:0:0 /'],
    ['7:8', '7:8:8 /'],
  ];
  for (const [user, shown] of table) {
    const { stdout, stderr } = await run('-u', user, '-w', '/made/here', 'people', 'sh', '-c', show);
    t.is(stdout, `${shown} /made/here 0:755\n`, `${user} ${stderr}`);
  }
  for (const [user, message] of [
    ['nosuch', 'unable to find user nosuch: no matching entries in passwd file'],
    ['web:nosuch', 'unable to find group nosuch: no matching entries in group file'],
  ] as const) {
    const { code, stderr } = await run('-u', user, 'people', 'true');
    t.deepEqual([code, stderr.split('\n')[0]], [125, `tsrun: ${message}`]);
  }
  const file = await run('-w', '/etc/passwd', 'people', 'true');
  t.deepEqual(
    [file.code, file.stderr.split('\n')[0]],
    [125, 'tsrun: Cannot mkdir: /etc/passwd is not a directory'],
  );
});
