/** Roots, texts and volumes that were made to lead the helper astray, and failures as they are reported. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'ava';
import { base, type Documents, directory, removeWork, runContainer, shell } from './container.js';

test.after.always(removeWork);

/** A directory for the top of the stack, filled by `fill`. */
function layer(fill: (dir: string) => void): string {
  const dir = directory('layer');
  fill(dir);
  return dir;
}

const LINKS = ['/tmp', '../../../../tmp', '/gone', '/proc/1/root/tmp', '/proc/self/root', 'loop'];

test('links in the place of /proc, /sys, /dev and /etc lead nowhere but inside', async (t) => {
  const outside = readdirSync('/dev').join();
  for (const name of ['proc', 'sys', 'dev', 'etc']) {
    for (const target of LINKS) {
      const top = layer((dir) => {
        symlinkSync(target, join(dir, name));
        symlinkSync('loop', join(dir, 'loop'));
      });
      const { stdout, failure } = await runContainer({
        command: ['sh', '-c', 'stat -f -c %t /proc; cat /etc/hosts | wc -l'],
        lower: [top],
      });
      const what = `${name} -> ${target}`;
      if (name === 'proc' || name === 'sys') t.is(failure?.errno, 40, what);
      else if (failure === undefined) t.regex(stdout, /^9fa0\n[1-9]/, what);
      else t.regex(failure.step, /^(mounts|rootfs)\./, what);
    }
  }
  t.is(readdirSync('/dev').join(), outside);
  t.false(existsSync('/gone'));
});

test('accounts are read from regular files of a bounded size only', async (t) => {
  const passwd = (make: (path: string) => void) =>
    layer((dir) => {
      mkdirSync(join(dir, 'etc'));
      make(join(dir, 'etc/passwd'));
    });
  const failing = {
    fifo: passwd((path) => void execFileSync('mkfifo', [path])),
    device: passwd((path) => void execFileSync('mknod', [path, 'c', '1', '5'])),
    directory: passwd((path) => void mkdirSync(path)),
    'magic link': passwd((path) => symlinkSync('/proc/self/root/etc/group', path)),
    huge: passwd((path) => {
      writeFileSync(path, '');
      truncateSync(path, 2 ** 31);
    }),
  };
  for (const [name, lower] of Object.entries(failing)) {
    const { failure } = await runContainer({ command: ['id'], user: '1000', lower: [lower] });
    t.is(failure?.step, 'process.user', name);
    t.is(failure?.subject, '/etc/passwd', name);
  }
  const missing = passwd((path) => symlinkSync('/gone', path));
  t.is(await shell('id -u', { user: '1000', lower: [missing] }), '1000\n');
});

const ACCOUNTS = `root:x:0:0:root:/root:/bin/sh
# a comment, a short line and a line with ids that wrap round to 0

short:x
wrap:x:4294967296:0::/:/bin/sh
minus:x:-1:0::/:/bin/sh
empty:x:::::
ann:x:1001:1001:Ann, of Green:/home/ann:/bin/sh
77:x:1002:1002::/home/digits:/bin/sh
two:x:1001:5::/home/two:/bin/sh
${'long'.repeat(100)}:x:0:0::/:/bin/sh
last:x:1003:100::/home/last:/bin/sh`;
const GROUPS = `root:x:0:
tty:x:5:
staff:x:50:ann,last
wrapped:x:4294967296:ann
wide:x:60:${Array.from({ length: 3000 }, (_, i) => `member${i}`).join()},ann
77:x:70:
nomembers:x:71:annabel,xann
users:x:100:last`;

const USERS: Record<string, string> = {
  '': '0:0:0:/root',
  ':': '0:0:0:/root',
  ':5': '0:5:5:/root',
  root: '0:0:0:/root',
  ann: '1001:1001:50,60,1001:/home/ann',
  '1001': '1001:1001:50,60,1001:/home/ann',
  'ann:tty': '1001:5:5:/home/ann',
  'ann:4000': '1001:4000:4000:/home/ann',
  // A name of digits wins over the number.
  '77': '1002:1002:1002:/home/digits',
  '4000': '4000:0:0:/',
  '4000:staff': '4000:50:50:/',
  last: '1003:100:50,100:/home/last',
  '2147483647': '2147483647:0:0:/',
  '007': '7:0:0:/',
};
const NO_USER = 'no matching entries in passwd file';
const RANGE = 'uids and gids must be in range 0-2147483647';
const REFUSED_USERS: Record<string, string> = {
  bob: `unable to find user bob: ${NO_USER}`,
  '0x0': `unable to find user 0x0: ${NO_USER}`,
  short: RANGE,
  wrap: RANGE,
  minus: RANGE,
  empty: RANGE,
  ['long'.repeat(100)]: `unable to find user ${'long'.repeat(64)}: ${NO_USER}`,
  '2147483648': RANGE,
  '4294967296': RANGE,
  '18446744073709551616': RANGE,
  '-1': RANGE,
  'ann:nogroup': 'unable to find group nogroup: no matching entries in group file',
  'ann:wrapped': RANGE,
  'ann:4294967296': RANGE,
};

test('users and groups, by a table', async (t) => {
  const lower = [
    layer((dir) => {
      mkdirSync(join(dir, 'etc'));
      writeFileSync(join(dir, 'etc/passwd'), ACCOUNTS);
      writeFileSync(join(dir, 'etc/group'), GROUPS);
    }),
  ];
  // Past the grammar of -u, as a hand-written image config would.
  const as =
    (user: string) =>
    ({ launch }: Documents) => {
      launch.user = user;
    };
  for (const [user, expected] of Object.entries(USERS)) {
    const script =
      'exec 2>/dev/null; echo "$(id -u):$(id -g):$(id -G | tr " " "\\n" | sort -n | uniq | paste -sd,):$HOME"';
    t.is((await shell(script, { lower, change: as(user) })).trim(), expected, user);
  }
  for (const [user, expected] of Object.entries(REFUSED_USERS)) {
    const { failure } = await runContainer({ command: ['id'], lower, change: as(user) });
    t.is(failure?.step, 'process.user', user);
    t.is(failure?.detail, expected, user);
  }
});

test('the primary group is always supplementary too', async (t) => {
  const lower = [
    layer((dir) => {
      writeFileSync(join(dir, 'barred'), 'secret');
      chownSync(join(dir, 'barred'), 0, 1000);
      chmodSync(join(dir, 'barred'), 0o707);
    }),
  ];
  t.is(await shell('grep Groups /proc/self/status', { user: '1000:1000', lower }), 'Groups:\t1000 \n');
  t.regex(await shell('cat /barred', { user: '1000:1000', lower }), /Permission denied/);
});

test('the working directory cannot be a door to the outside', async (t) => {
  for (const fd of [0, 3, 5, 7, 9, 20]) {
    for (const createCwd of [true, false]) {
      const { failure } = await runContainer({
        command: ['cat', 'etc/hostname'],
        change: ({ spec, launch }) => {
          spec.process.cwd = `/proc/self/fd/${fd}`;
          launch.createCwd = createCwd;
        },
      });
      t.is(failure?.step, 'process.cwd');
    }
  }
});

test('mounts at or below /proc are refused, also by way of a link', async (t) => {
  const lower = [layer((dir) => symlinkSync('/proc', join(dir, 'detour')))];
  for (const destination of [
    '/proc',
    '/proc/self/attr',
    '/proc/../proc/sys',
    '/detour/sys',
    '/x/../detour',
    '/',
  ]) {
    const { failure } = await runContainer({
      command: ['true'],
      lower,
      change: ({ spec }) => spec.mounts.push({ destination, type: 'bind', source: base, options: ['rbind'] }),
    });
    t.is(failure?.step, 'mounts.mount', destination);
    t.is(failure?.errno, 22, destination);
  }
});

test('sysctls of the whole machine are refused before anything is made', async (t) => {
  for (const key of ['kernel.panic', 'vm.swappiness', 'net/../kernel/panic', '/kernel/panic']) {
    const { failure, steps } = await runContainer({
      command: ['true'],
      change: ({ spec }) => {
        spec.linux.sysctl = { [key]: '1' };
      },
    });
    t.is(failure?.step, 'sysctl', key);
    t.false(steps.includes('cgroup.create'), key);
  }
});

test('failures name the step, the errno and the subject', async (t) => {
  const mount =
    (source: string, destination: string) =>
    ({ spec }: Documents) => {
      spec.mounts.push({ destination, type: 'bind', source, options: ['rbind'] });
    };
  const script = layer((dir) => writeFileSync(join(dir, 'script'), '#!/no/interpreter\n', { mode: 0o755 }));
  const cases: [Parameters<typeof runContainer>[0], object][] = [
    [
      { command: ['nosuch'] },
      { step: 'exec', errno: 2, subject: 'nosuch', detail: 'executable file not found in $PATH' },
    ],
    [{ command: ['/nosuch'] }, { step: 'exec', errno: 2, subject: '/nosuch' }],
    [{ command: ['/etc'] }, { step: 'exec', errno: 13, subject: '/etc', detail: 'is a directory' }],
    [{ command: ['/etc/passwd'] }, { step: 'exec', errno: 13, subject: '/etc/passwd' }],
    [
      { command: ['/script'], lower: [script] },
      { step: 'exec', errno: 2, subject: '/script' },
    ],
    [
      { command: ['ls'], change: mount('/nosuch', '/m') },
      { step: 'mounts.mount', errno: 2, subject: '/nosuch' },
    ],
    [
      { command: ['ls'], change: mount(base, '/etc/passwd') },
      { step: 'mounts.mount', errno: 20, subject: base, detail: '/etc/passwd' },
    ],
    [
      { command: ['ls'], workdir: '/etc/passwd' },
      { step: 'process.cwd', errno: 20, subject: '/etc/passwd' },
    ],
  ];
  for (const [options, expected] of cases)
    t.deepEqual((await runContainer(options)).failure, expected as never);
});

test('root only programs are not found with rights that exec takes away', async (t) => {
  const lower = [layer((dir) => execFileSync('install', ['-m', '700', '/bin/true', join(dir, 'mine')]))];
  const { failure } = await runContainer({ command: ['/mine'], user: 'nobody', lower });
  t.is(failure?.errno, 13);
});

test('an empty volume is filled from the image, once, and a broken copy is redone', async (t) => {
  const image = layer((dir) => {
    const data = join(dir, 'data');
    mkdirSync(join(data, 'sub/deep'), { recursive: true });
    writeFileSync(join(data, 'file'), 'content');
    chownSync(join(data, 'file'), 5, 6);
    chmodSync(join(data, 'file'), 0o4755);
    utimesSync(join(data, 'file'), 1000, 2000.5);
    execFileSync('setfattr', ['-n', 'user.note', '-v', 'kept', join(data, 'file')]);
    linkSync(join(data, 'file'), join(data, 'again'));
    symlinkSync('../outside', join(data, 'link'));
    execFileSync('mkfifo', [join(data, 'fifo')]);
    writeFileSync(join(data, 'sub/deep/leaf'), 'leaf');
    chownSync(data, 33, 34);
    chmodSync(data, 0o750);
  });
  const volume = join(directory('volume'), '_data');
  const parent = dirname(volume);
  mkdirSync(volume);
  const inode = statSync(volume).ino;
  const start = (command: string) =>
    shell(command, {
      lower: [image],
      change: ({ spec, launch }) => {
        launch.copyUp = [{ source: volume, destination: '/data' }];
        spec.mounts.push({ destination: '/data', type: 'bind', source: volume, options: ['rbind'] });
      },
    });

  // What an interrupted copy leaves.
  mkdirSync(join(parent, '.copyup.part'));
  writeFileSync(join(parent, '.copyup.part/torn'), '');
  t.is(
    await start('cd /data; find . | sort | xargs'),
    '. ./again ./fifo ./file ./link ./sub ./sub/deep ./sub/deep/leaf\n',
  );
  t.is(statSync(volume).ino, inode, 'others that have it mounted see it too');
  const file = lstatSync(join(volume, 'file'));
  t.deepEqual([file.uid, file.gid, file.mode & 0o7777, file.mtimeMs], [5, 6, 0o4755, 2000500]);
  const xattr = execFileSync('getfattr', ['--only-values', '-n', 'user.note', join(volume, 'file')]);
  t.is(xattr.toString(), 'kept');
  const root = statSync(volume);
  t.deepEqual([root.uid, root.gid, root.mode & 0o777], [33, 34, 0o750]);
  t.deepEqual(readdirSync(parent), ['_data']);

  // Never over data, and what the user removed stays away.
  await start('cd /data; rm -r sub; echo mine > file');
  t.is(await start('cat /data/file; ls /data | xargs'), 'mine\nagain fifo file link\n');

  // Complete but not moved yet.
  mkdirSync(join(parent, '.copyup.done'));
  writeFileSync(join(parent, '.copyup.done/file'), 'old');
  writeFileSync(join(parent, '.copyup.done/more'), 'more');
  t.is(await start('cat /data/file /data/more'), 'mine\nmore');
  t.deepEqual(readdirSync(parent), ['_data']);
});

test('files made as mount points are recorded where they really are', async (t) => {
  const top = layer((dir) => {
    symlinkSync('run', join(dir, 'varrun'));
    symlinkSync('../../x/y', join(dir, 'dangling'));
  });
  const { dir, failure } = await runContainer({
    command: ['cat', '/varrun/a/b', '/dangling', '/etc/passwd'],
    lower: [top],
    change: ({ spec }) => {
      for (const destination of ['/varrun/a/b', '/dangling', '/etc/passwd', '/made/'])
        spec.mounts.push({
          destination,
          type: 'bind',
          source: destination === '/made/' ? base : join(base, 'etc/passwd'),
          options: ['rbind', 'ro'],
        });
    },
  });
  t.is(failure, undefined);
  // The name files are there already in a store's own layer; here the test's root has none.
  const stubs = readFileSync(join(dir, 'stubs'), 'utf8').split('\0').filter(Boolean);
  t.deepEqual(stubs.filter((path) => !path.startsWith('/etc/')).sort(), ['/run/a/b', '/x/y']);
  t.true(existsSync(join(dir, 'upper/x/y')));
});
