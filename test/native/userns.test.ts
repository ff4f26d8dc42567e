/** Containers with a user namespace of their own, and what is joined or mapped for them. Needs root. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type Documents, directory, removeWork, runContainer, shell } from './container.js';

test.after.always(removeWork);

const MAPPED = 100_000;
const map = [{ containerID: 0, hostID: MAPPED, size: 65_536 }];

/** The parts of the spec that the plan never writes. */
const rest = (spec: Documents['spec']) => spec.linux as unknown as Record<string, unknown>;

function inUserNamespace({ spec }: Documents): void {
  const linux = rest(spec);
  spec.linux.namespaces.push({ type: 'user' });
  linux.uidMappings = map;
  linux.gidMappings = map;
  // Goes to the last group, which has no name in there.
  delete spec.linux.sysctl?.['net.ipv4.ping_group_range'];
}

/** The process that `unshare --fork` has made, which is in the new pid namespace. */
function childOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0]);
}

test('root inside is nobody outside, owns its root, and what it writes has its own ids on the disk', async (t) => {
  const { stdout, stderr, dir, failure } = await runContainer({
    command: [
      'sh',
      '-c',
      `cat /proc/self/uid_map /proc/self/gid_map; id; stat -c '%u:%g' / /bin/busybox /proc /dev/null
       touch /tmp/mine; chown 7:8 /tmp/mine; stat -c '%u:%g' /tmp/mine; cat /proc/self/setgroups
       grep -E '^(Uid|Cap(Prm|Eff|Bnd))' /proc/self/status; echo via > /dev/stdout; readlink /proc/self/cwd`,
    ],
    change: inUserNamespace,
  });
  t.is(failure, undefined);
  t.is(stderr, '');
  t.is(
    stdout.replaceAll('\t', ' ').replace(/ +/g, ' '),
    ` 0 100000 65536
 0 100000 65536
uid=0(root) gid=0(root) groups=0(root)
0:0
0:0
65534:65534
65534:65534
7:8
allow
Uid: 0 0 0 0
CapPrm: 00000000a80425fb
CapEff: 00000000a80425fb
CapBnd: 00000000a80425fb
via
/
`,
  );
  const mine = statSync(join(dir, 'upper/tmp/mine'));
  t.deepEqual([mine.uid, mine.gid], [7, 8]);
});

/** A bind with these mappings of its own; undefined = none, null = the container's. */
function bind(source: string, destination: string, ids?: typeof map | null, options: string[] = []) {
  const mappings = ids ? { uidMappings: ids, gidMappings: ids } : {};
  return {
    destination,
    type: 'bind',
    source,
    options: ['rbind', ...options, ...(ids === null ? ['idmap'] : [])],
    ...mappings,
  };
}

function file(dir: string, name: string, uid: number): void {
  writeFileSync(join(dir, name), name);
  chownSync(join(dir, name), uid, uid);
}

test('binds: unmapped, mapped as the container, and mapped for themselves, from where only root may go', async (t) => {
  const secret = directory('secret');
  chmodSync(secret, 0o700);
  const source = join(secret, 'source');
  mkdirSync(source);
  file(source, 'root', 0);
  file(source, 'user', 1000);
  chownSync(source, 0, 0);
  const show = 'cd $d; stat -c "%n %u" root user; touch new && stat -c "%n %u" new; cd /;';
  const { stdout, stderr } = await runContainer({
    command: ['sh', '-c', `for d in /plain /same /own; do ${show} done; cat /plain/root`],
    change: (documents) => {
      inUserNamespace(documents);
      const own = [{ containerID: 1000, hostID: MAPPED, size: 1 }];
      documents.spec.mounts.push(
        bind(source, '/plain'),
        bind(source, '/same', null),
        bind(source, '/own', own, ['ro']),
      );
    },
  });
  t.is(
    stdout,
    `root 65534
user 65534
root 0
user 1000
new 0
root 65534
user 0
root`,
  );
  t.regex(stderr, /new: Permission denied/);
  t.is(statSync(join(source, 'new')).uid, 0);
});

test('mapped binds of a container without a user namespace', async (t) => {
  const source = directory('source');
  file(source, 'user', 1000);
  const below = join(source, 'below');
  mkdirSync(below);
  file(below, 'deep', 1000);
  const out = await shell(
    'stat -c "%n %u" /a/user /a/below/deep; touch /a/x; stat -c %u /a/x; grep " /a " /proc/self/mountinfo',
    {
      change: ({ spec }) => {
        const ids = [
          { containerID: 0, hostID: 0, size: 1 },
          { containerID: 1000, hostID: 5, size: 1 },
        ];
        spec.mounts.push(bind(source, '/a', ids, ['ridmap']));
      },
    },
  );
  t.regex(out, /^\/a\/user 5\n\/a\/below\/deep 5\n0\n.*,idmapped/);
  for (const [change, detail] of [
    [bind(source, '/a', null), /idmap needs mappings/],
    [{ ...bind(source, '/a', map), gidMappings: undefined }, /go together/],
    [{ ...bind(source, '/a', map), type: 'tmpfs', options: [] }, /only the ids of a bind/],
    [bind(source, '/a', [...map, ...map]), /overlap/],
  ] as const) {
    const { failure } = await runContainer({
      command: ['true'],
      change: ({ spec }) => spec.mounts.push(change as (typeof spec.mounts)[0]),
    });
    t.regex(failure?.detail ?? '', detail);
  }
});

test("with the network of the host /sys is the host's, read-only", async (t) => {
  const out = await shell(
    'cat /sys/kernel/uevent_seqnum | wc -l; touch /sys/x; grep -c " /sys .* ro" /proc/self/mountinfo',
    {
      change: (documents) => {
        inUserNamespace(documents);
        const { linux } = documents.spec;
        linux.namespaces = linux.namespaces.filter(({ type }) => type !== 'network' && type !== 'ipc');
        linux.sysctl = {};
      },
    },
  );
  t.regex(out, /^1\n1\ntouch: \/sys\/x: Read-only file system\n/);
});

/** A process with new namespaces. */
async function holder(t: ExecutionContext, ...flags: string[]): Promise<ChildProcess & { pid: number }> {
  const child = spawn('unshare', [...flags, 'sh', '-c', 'echo; exec sleep 100'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  child.stdout.destroy();
  return child as ChildProcess & { pid: number };
}

const TYPES = {
  user: 'user',
  network: 'net',
  ipc: 'ipc',
  uts: 'uts',
  cgroup: 'cgroup',
  time: 'time',
  pid: 'pid',
};

test("namespaces by path: those of the host's user and those of another user namespace", async (t) => {
  const plain = await holder(
    t,
    '--net',
    '--ipc',
    '--uts',
    '--cgroup',
    '--time',
    '--pid',
    '--fork',
    '--kill-child',
  );
  const owned = await holder(t, '--user', '--net', '--ipc', '--uts');
  for (const name of ['uid_map', 'gid_map']) writeFileSync(`/proc/${owned.pid}/${name}`, `0 ${MAPPED} 65536`);
  const script = 'for n in user net ipc uts cgroup time pid; do readlink /proc/self/ns/$n; done';
  const run = async (paths: Record<string, number | undefined>, mapped: boolean) => {
    const result = await runContainer({
      command: ['sh', '-c', script],
      change: (documents) => {
        const { linux } = documents.spec;
        if (mapped) inUserNamespace(documents);
        linux.sysctl = {};
        for (const [type, pid] of Object.entries(paths)) {
          linux.namespaces = linux.namespaces.filter((ns) => ns.type !== type);
          const name = TYPES[type as keyof typeof TYPES];
          linux.namespaces.push({ type: type as 'user', path: `/proc/${pid}/ns/${name}` });
        }
        if (paths.user !== undefined) {
          delete rest(documents.spec).uidMappings;
          delete rest(documents.spec).gidMappings;
        }
      },
    });
    t.deepEqual([result.failure, result.stderr], [undefined, '']);
    const seen = result.stdout.trim().split('\n');
    for (const [type, pid] of Object.entries(paths)) {
      const at = ['user', 'network', 'ipc', 'uts', 'cgroup', 'time', 'pid'].indexOf(type);
      const name = TYPES[type as keyof typeof TYPES];
      t.is(seen[at], readlinkSync(`/proc/${pid}/ns/${name}`), type);
    }
  };
  const { pid } = plain;
  await run({ network: pid, ipc: pid, uts: pid, cgroup: pid, time: pid, pid: childOf(pid) }, false);
  await run({ network: pid, ipc: pid, uts: pid }, true);
  await run({ user: owned.pid }, false);
  await run({ user: owned.pid, network: owned.pid, ipc: owned.pid }, false);
  await run({ user: owned.pid, network: pid, uts: owned.pid }, false);
});

test('time offsets; what cannot be is told', async (t) => {
  const uptime = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
  for (const change of [undefined, inUserNamespace]) {
    const out = await shell('cat /proc/uptime; readlink /proc/self/ns/time', {
      change: (documents) => {
        change?.(documents);
        documents.spec.linux.namespaces.push({ type: 'time' });
        rest(documents.spec).timeOffsets = {
          boottime: { secs: 86_400, nanosecs: 5 },
          monotonic: { secs: 7 },
        };
      },
    });
    const inside = Number(out.split(' ')[0]);
    t.true(inside > uptime + 86_000 && inside < uptime + 87_000, out);
    t.not(out.trim().split('\n')[1], readlinkSync('/proc/self/ns/time'));
  }
  const refused: [(spec: Documents['spec']) => void, RegExp][] = [
    [(spec) => spec.linux.namespaces.push({ type: 'pid' }), /named twice/],
    [(spec) => spec.linux.namespaces.push({ type: 'air' as 'pid' }), /no such namespace/],
    [(spec) => spec.linux.namespaces.push({ type: 'user' }), /needs a mapping/],
    [(spec) => Object.assign(rest(spec), { uidMappings: map }), /need a user namespace/],
    [
      (spec) => Object.assign(rest(spec), { timeOffsets: { boottime: { secs: 1 } } }),
      /needs a new time namespace/,
    ],
    [
      (spec) => {
        spec.linux.namespaces.push({ type: 'time' });
        rest(spec).timeOffsets = { realtime: { secs: 1 } };
      },
      /only the clocks/,
    ],
    [
      (spec) => {
        spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== 'mount');
      },
      /needs a mount namespace/,
    ],
  ];
  for (const [change, detail] of refused) {
    const { failure } = await runContainer({ command: ['true'], change: ({ spec }) => change(spec) });
    t.regex(failure?.detail ?? '', detail);
  }
});

test('volumes that the image fills, and a terminal', async (t) => {
  const lower = directory('lower');
  mkdirSync(join(lower, 'data'));
  file(join(lower, 'data'), 'user', 1000);
  const volume = join(directory('volumes'), '_data');
  mkdirSync(volume);
  const out = await shell(
    'stat -c "%n %u" /data/user; touch /data/new; tty; stat -c "%u %a" $(tty); echo x > /dev/tty',
    {
      lower: [lower],
      tty: true,
      change: (documents) => {
        inUserNamespace(documents);
        documents.spec.mounts.push(bind(volume, '/data', null));
        documents.launch.copyUp = [{ source: volume, destination: '/data' }];
      },
    },
  );
  t.is(out.replaceAll('\r', ''), '/data/user 1000\n/dev/pts/0\n0 620\nx\n');
  t.deepEqual(
    ['user', 'new'].map((name) => statSync(join(volume, name)).uid),
    [1000, 0],
  );
});
