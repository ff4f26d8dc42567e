/** What config.json can ask of mounts and of the process, past what the plan itself writes. Needs root. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { type Documents, directory, removeWork, runContainer, shell } from './container.js';

test.after.always(removeWork);

type Spec = Documents['spec'];
const process_ = (spec: Spec) => spec.process as unknown as Record<string, unknown>;
const linux = (spec: Spec) => spec.linux as unknown as Record<string, unknown>;

async function refused(
  t: { regex(text: string, pattern: RegExp): void },
  pattern: RegExp,
  change: (spec: Spec) => void,
) {
  const { failure } = await runContainer({ command: ['true'], change: ({ spec }) => change(spec) });
  t.regex(`${failure?.step} ${failure?.subject} ${failure?.detail}`, pattern);
}

test('tmpcopyup fills a tmpfs with what lies there', async (t) => {
  const lower = directory('lower');
  mkdirSync(join(lower, 'data/sub'), { recursive: true });
  writeFileSync(join(lower, 'data/sub/file'), 'text');
  symlinkSync('sub/file', join(lower, 'data/link'));
  chmodSync(join(lower, 'data'), 0o751);
  const mount = { destination: '/data', type: 'tmpfs', source: 'tmpfs', options: ['tmpcopyup', 'ro'] };
  const script =
    'cat /data/link; stat -c " %a" /data; grep -c " /data ro.* tmpfs" /proc/self/mountinfo; touch /data/x';
  const out = await shell(script, { lower: [lower], change: ({ spec }) => spec.mounts.push(mount) });
  t.is(out, 'text 751\n1\ntouch: /data/x: Read-only file system\n');
  await refused(t, /tmpcopyup is an option of tmpfs/, (spec) =>
    spec.mounts.push({ ...mount, type: 'bind', source: '/tmp', options: ['rbind', 'tmpcopyup'] }),
  );
});

test('recursive attributes reach what is mounted below, plain ones do not', async (t) => {
  const source = directory('tree');
  mkdirSync(join(source, 'sub'));
  execFileSync('mount', ['-t', 'tmpfs', 'below', join(source, 'sub')]);
  try {
    const flags = ['ro', 'nosuid', 'nodev', 'noexec', 'noatime', 'nodiratime', 'nosymfollow'];
    const out = await shell("grep -E ' /[ab](/sub)? ' /proc/self/mountinfo | cut -d' ' -f5,6 | sort", {
      change: ({ spec }) => {
        spec.mounts.push({
          destination: '/a',
          type: 'bind',
          source,
          options: ['rbind', ...flags.map((f) => `r${f}`)],
        });
        spec.mounts.push({ destination: '/b', type: 'bind', source, options: ['rbind', ...flags] });
      },
    });
    const all = 'ro,nosuid,nodev,noexec,noatime,nodiratime,nosymfollow';
    t.is(out, `/a ${all}\n/a/sub ${all}\n/b ${all}\n/b/sub rw,relatime\n`);
  } finally {
    execFileSync('umount', [join(source, 'sub')]);
  }
});

test('propagation of the root and of single mounts', async (t) => {
  const source = directory('spread');
  execFileSync('mount', ['--bind', source, source]);
  execFileSync('mount', ['--make-shared', source]);
  try {
    const seen = async (rootfsPropagation: string, options: string[]) => {
      const out = await shell(
        "cut -d' ' -f5,7 /proc/self/mountinfo | grep -E '^(/|/a) ' | sed 's/:[0-9]*//'",
        {
          change: ({ spec }) => {
            linux(spec).rootfsPropagation = rootfsPropagation;
            spec.mounts.push({ destination: '/a', type: 'bind', source, options: ['bind', ...options] });
          },
        },
      );
      return Object.fromEntries(
        out
          .trim()
          .split('\n')
          .map((line) => line.split(' ')),
      );
    };
    t.deepEqual(await seen('', []), { '/': '-', '/a': 'master' });
    t.deepEqual(await seen('private', []), { '/': '-', '/a': '-' });
    t.deepEqual(await seen('rprivate', ['rslave']), { '/': '-', '/a': 'master' });
    t.deepEqual(await seen('rslave', ['rshared']), { '/': '-', '/a': 'shared' });
    t.deepEqual(await seen('shared', ['rprivate']), { '/': 'shared', '/a': '-' });
    t.deepEqual(await seen('unbindable', []), { '/': 'unbindable', '/a': '-' });
    await refused(t, /not a mount propagation/, (spec) =>
      Object.assign(linux(spec), { rootfsPropagation: 'wide' }),
    );
  } finally {
    execFileSync('umount', [source]);
  }
});

test('labels: an error where the kernel does not run the module, nothing for none', async (t) => {
  await refused(t, /process.confine .*AppArmor does not run/, (spec) =>
    Object.assign(process_(spec), { apparmorProfile: 'some-profile' }),
  );
  await refused(t, /process.confine .*SELinux does not run/, (spec) =>
    Object.assign(process_(spec), { selinuxLabel: 'a:b:c:d' }),
  );
  await refused(t, /mountLabel SELinux does not run/, (spec) =>
    Object.assign(linux(spec), { mountLabel: 'a:b:c:d' }),
  );
  const out = await shell('echo ran', {
    change: ({ spec }) => Object.assign(process_(spec), { apparmorProfile: 'unconfined', selinuxLabel: '' }),
  });
  t.is(out, 'ran\n');
});

test('scheduler, I/O priority and personality', async (t) => {
  const out = await shell("uname -m; ionice; cut -d' ' -f19,41 /proc/self/stat", {
    change: ({ spec }) => {
      process_(spec).scheduler = { policy: 'SCHED_BATCH', nice: 7 };
      process_(spec).ioPriority = { class: 'IOPRIO_CLASS_BE', priority: 6 };
      linux(spec).personality = { domain: 'LINUX32' };
    },
  });
  t.is(out, 'i686\nbest-effort: prio 6\n7 3\n');
  const refusals: [RegExp, (spec: Spec) => void][] = [
    [
      /unknown scheduler policy/,
      (spec) => Object.assign(process_(spec), { scheduler: { policy: 'SCHED_FAST' } }),
    ],
    [
      /only SCHED_FIFO/,
      (spec) => Object.assign(process_(spec), { scheduler: { policy: 'SCHED_OTHER', priority: 3 } }),
    ],
    [
      /from -20 to 19/,
      (spec) => Object.assign(process_(spec), { scheduler: { policy: 'SCHED_OTHER', nice: 20 } }),
    ],
    [/unknown I\/O/, (spec) => Object.assign(process_(spec), { ioPriority: { class: 'IOPRIO_CLASS_X' } })],
    [
      /from 0 to 7/,
      (spec) => Object.assign(process_(spec), { ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 8 } }),
    ],
    [/unknown personality/, (spec) => Object.assign(linux(spec), { personality: { domain: 'BSD' } })],
  ];
  for (const [pattern, change] of refusals) await refused(t, pattern, change);
});

test('ambient capabilities reach a user, a limit that is named twice is refused', async (t) => {
  const out = await shell('grep Cap /proc/self/status; id -u', {
    change: ({ spec, launch }) => {
      launch.user = '1000';
      const caps = ['CAP_NET_BIND_SERVICE', 'CAP_KILL'];
      spec.process.capabilities = {
        bounding: caps,
        effective: caps,
        permitted: caps,
        inheritable: caps,
        ambient: caps,
      };
    },
  });
  t.is(
    out.replaceAll('\t', ' '),
    `${['Inh', 'Prm', 'Eff', 'Bnd', 'Amb'].map((s) => `Cap${s}: 0000000000000420\n`).join('')}1000\n`,
  );
  await refused(t, /RLIMIT_CORE twice/, (spec) => {
    spec.process.rlimits = [1, 2].map((soft) => ({ type: 'RLIMIT_CORE', soft, hard: soft }));
  });
});

test('what this runtime does not do is told', async (t) => {
  await refused(t, /intelRdt .*resctrl/, (spec) => Object.assign(linux(spec), { intelRdt: { closID: 'a' } }));
  await refused(t, /eth7 .*netDevices/, (spec) =>
    Object.assign(linux(spec), { netDevices: { eth7: { name: 'eth0' } } }),
  );
});
