import test from 'ava';
import { CAPABILITIES } from '../../src/host/capabilities.js';
import { probeInfo } from '../../src/host/info.js';
import { probeHost } from '../../src/host/probe.js';
import type { HostSource } from '../../src/host/source.js';

/** A machine that consists of these files; a path ending in a slash is an empty directory. */
function machine(files: Record<string, string>, more: Partial<HostSource> = {}): HostSource {
  const paths = Object.keys(files);
  return {
    read: (path) => files[path],
    list: (path) => [
      ...new Set(
        paths
          .filter((name) => name.startsWith(`${path}/`))
          .map((name) => name.slice(path.length + 1).split('/')[0] ?? ''),
      ),
    ],
    exists: (path) => paths.some((name) => name === path || name.startsWith(`${path}/`)),
    executable: (path) => path in files,
    filesystemType: () => 0xef53,
    hostname: () => 'metal',
    release: () => '6.1.0-20-amd64',
    arch: () => 'x64',
    uid: () => 0,
    ...more,
  };
}

const MOUNT = (fields: string) => `30 22 0:27 / ${fields}`;
const V2 = MOUNT('/sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate');
const HYBRID = [
  MOUNT('/sys/fs/cgroup rw - tmpfs tmpfs rw'),
  MOUNT('/sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct'),
  MOUNT('/sys/fs/cgroup/memory rw - cgroup cgroup rw,memory'),
  MOUNT('/sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd'),
  MOUNT('/sys/fs/cgroup/a\\040b rw - cgroup2 cgroup2 rw'),
].join('\n');

test('cgroups: v2, hybrid, v1', (t) => {
  const v2 = machine({
    '/proc/self/mountinfo': V2,
    '/sys/fs/cgroup/cgroup.controllers': 'cpuset cpu io memory pids\n',
  });
  t.deepEqual(probeHost(v2).cgroup, {
    mode: '2',
    controllers: ['cpu', 'cpuset', 'io', 'memory', 'pids'],
    swapLimit: true,
    blkioWeight: true,
  });
  const hybrid = machine({
    '/proc/self/mountinfo': HYBRID,
    '/sys/fs/cgroup/a b/cgroup.controllers': 'hugetlb\n',
  });
  t.deepEqual(probeHost(hybrid).cgroup, {
    mode: 'hybrid',
    controllers: ['cpu', 'cpuacct', 'hugetlb', 'memory'],
    swapLimit: false,
    blkioWeight: false,
  });
  const v1 = machine({ '/proc/self/mountinfo': HYBRID.split('\n').slice(0, 4).join('\n') });
  t.deepEqual(probeHost(v1).cgroup, {
    mode: '1',
    controllers: ['cpu', 'cpuacct', 'memory'],
    swapLimit: false,
    blkioWeight: false,
  });
  const able = machine({
    '/proc/self/mountinfo': `${HYBRID}\n${MOUNT('/sys/fs/cgroup/blkio rw - cgroup cgroup rw,blkio')}`,
    '/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes': '',
    '/sys/fs/cgroup/blkio/blkio.bfq.weight': '100',
  });
  const { swapLimit, blkioWeight } = probeHost(able).cgroup;
  t.deepEqual({ swapLimit, blkioWeight }, { swapLimit: true, blkioWeight: true });
});

test('the facts of a usual machine', (t) => {
  const facts = probeHost(
    machine({
      '/proc/self/mountinfo': V2,
      '/proc/self/status': 'Name:\tnode\nCapBnd:\t000001fffeffffff\n',
      '/proc/self/limits':
        'Limit                     Soft Limit           Hard Limit           Units     \n' +
        'Max core file size        0                    unlimited            bytes     \n' +
        'Max open files            20000                524288               files     \n',
      '/proc/self/oom_score_adj': '100\n',
      '/etc/resolv.conf': 'nameserver 127.0.0.53\n',
      '/run/systemd/resolve/resolv.conf': 'nameserver 9.9.9.9\n',
      '/etc/hosts': '127.0.0.1 localhost\n',
      '/usr/sbin/nft': '',
      '/sys/devices/system/cpu/cpu0/thermal_throttle/count': '0',
      '/sys/devices/system/cpu/cpu1/thermal_throttle/count': '0',
      '/sys/devices/system/cpu/cpu2/online': '0',
      '/sys/devices/system/cpu/cpuidle/': '',
      '/sys/devices/system/cpu/online': '0,2-3\n',
      '/sys/devices/system/node/online': '0-1\n',
    }),
  );
  t.deepEqual(facts.kernel, { major: 6, minor: 1, release: '6.1.0-20-amd64' });
  t.is(facts.arch, 'amd64');
  t.true(facts.isRoot);
  t.true(facts.hasNft);
  t.deepEqual(facts.hardLimits, { nofile: 524288 });
  t.deepEqual(facts.cpus, { count: 3, online: '0,2-3' });
  t.is(facts.memoryNodes, '0-1');
  t.is(facts.oomScoreAdj, 100);
  t.is(facts.upstreamResolvConf, 'nameserver 9.9.9.9\n');
  t.deepEqual(
    facts.thermalThrottlePaths,
    [0, 1].map((n) => `/sys/devices/system/cpu/cpu${n}/thermal_throttle`),
  );
  t.deepEqual(
    CAPABILITIES.filter((name) => !facts.capabilities.includes(name)),
    ['CAP_SYS_RESOURCE'],
  );
});

test('a machine that shows nothing gives facts, not a failure', (t) => {
  const facts = probeHost(
    machine({}, { uid: () => 1000, release: () => '5.15.90-microsoft', arch: () => 'arm64' }),
  );
  t.deepEqual(facts.kernel, { major: 5, minor: 15, release: '5.15.90-microsoft' });
  t.is(facts.arch, 'arm64');
  t.false(facts.isRoot);
  t.false(facts.hasNft);
  t.deepEqual(facts.capabilities, []);
  t.deepEqual(facts.thermalThrottlePaths, []);
  t.is(facts.upstreamResolvConf, undefined);
});

test('info says what the machine is and what it lacks', (t) => {
  const full = machine({
    '/proc/self/mountinfo': V2,
    '/sys/fs/cgroup/cgroup.controllers': 'cpuset cpu io memory pids',
    '/proc/self/status': 'CapBnd:\t000001ffffffffff\nSeccomp:\t0\n',
    '/proc/filesystems': 'nodev\tproc\nnodev\toverlay\n',
    '/proc/meminfo': 'MemTotal:       24683620 kB\nMemFree: 1 kB\n',
    '/sys/devices/system/cpu/online': '0-3,6\n',
    '/etc/os-release': 'NAME="Debian GNU/Linux"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
    '/usr/sbin/nft': '',
    '/sys/module/apparmor/parameters/enabled': 'Y\n',
  });
  t.deepEqual(probeInfo(probeHost(full), '/', full), {
    operatingSystem: 'Debian GNU/Linux 12 (bookworm)',
    ncpu: 5,
    memTotal: 24683620 * 1024,
    backingFilesystem: 'extfs',
    securityOptions: ['name=apparmor', 'name=seccomp,profile=builtin', 'name=cgroupns'],
    warnings: [],
  });
  const bare = machine(
    { '/proc/self/mountinfo': '', '/proc/sys/net/ipv4/ip_forward': '0\n' },
    { uid: () => 1 },
  );
  const { warnings, operatingSystem, ncpu } = probeInfo(probeHost(bare), '/', bare);
  t.is(operatingSystem, 'Linux');
  t.is(ncpu, 1);
  for (const word of [
    'root',
    'overlay',
    'nft',
    'seccomp',
    'CAP_SYS_RESOURCE',
    'memory',
    'cpu',
    'pids',
    'forwarding',
  ]) {
    t.true(
      warnings.some((sentence) => sentence.includes(word)),
      word,
    );
  }
});

test('this machine has facts too', (t) => {
  const facts = probeHost();
  t.true(facts.kernel.major >= 4);
  t.true((facts.hardLimits.nofile ?? 0) > 0);
  t.true(facts.cpus.count > 0);
  t.true(facts.cgroup.controllers.length > 0);
});
