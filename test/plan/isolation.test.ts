import test from 'ava';
import type { DeviceNode, HostFacts } from '../../src/host/facts.js';
import { parseRun } from '../../src/intent/run.js';
import { deviceWishes, planDevices } from '../../src/plan/devices.js';
import type { Peer } from '../../src/plan/lookups.js';
import { planRun } from '../../src/plan/run.js';
import type { RunOptions } from '../../src/types/engine.js';
import { parseContainerId } from '../../src/types/ids.js';
import { planInput, someHost } from '../helpers/plan-input.js';
import { refused } from '../helpers/refused.js';

const peer: Peer = {
  id: parseContainerId('a'.repeat(64)),
  dir: '/store/containers/peer',
  ipcMode: 'shareable',
  mounts: [],
  subpaths: new Map(),
};

const oneDisk = {
  find: (path: string): DeviceNode[] =>
    path === '/dev' ? [{ path: '/dev/sda', type: 'b', major: 8, minor: 0, mode: 0o660, uid: 0, gid: 6 }] : [],
};

const plan = (options: Partial<RunOptions>, facts: Partial<HostFacts> = {}, other: Peer = peer) =>
  planRun(planInput(options, { Cmd: ['c'] }, facts, { peers: { find: () => other }, devices: oneDisk }));

test('namespaces: own, the host’s, another container’s', (t) => {
  const all = ['mount', 'network', 'uts', 'pid', 'ipc', 'cgroup'];
  const table: [Partial<RunOptions>, string[], object, object | undefined][] = [
    [{}, all, { PidMode: '', IpcMode: 'private', UTSMode: '', CgroupnsMode: 'private' }, undefined],
    [{ pid: 'host' }, all.filter((type) => type !== 'pid'), { PidMode: 'host' }, undefined],
    [{ ipc: 'host' }, all.filter((type) => type !== 'ipc'), { IpcMode: 'host' }, undefined],
    [{ uts: 'host' }, all.filter((type) => type !== 'uts'), { UTSMode: 'host' }, undefined],
    [{ cgroupns: 'host' }, all.filter((type) => type !== 'cgroup'), { CgroupnsMode: 'host' }, undefined],
    [{ network: 'host' }, all.filter((type) => type !== 'network'), { NetworkMode: 'host' }, undefined],
    [{ pid: 'container:x' }, all, { PidMode: `container:${peer.id}` }, { pid: peer.dir }],
    [{ ipc: 'container:x' }, all, { IpcMode: `container:${peer.id}` }, { ipc: peer.dir }],
    [{ ipc: 'none' }, all, { IpcMode: 'none' }, undefined],
  ];
  for (const [options, types, api, join] of table) {
    const { spec, launch, hostConfig } = plan(options);
    t.deepEqual(
      spec.linux.namespaces,
      types.map((type) => ({ type })),
      JSON.stringify(options),
    );
    t.like(hostConfig, api);
    t.deepEqual(launch.join, join);
  }
  refused(
    t,
    () => plan({ ipc: 'container:x' }, {}, { ...peer, ipcMode: 'private' }),
    `can't join IPC of container ${peer.id}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)`,
  );
});

test('/dev/shm follows the IPC namespace', (t) => {
  const shm = (options: Partial<RunOptions>) =>
    plan(options).spec.mounts.find(({ destination }) => destination === '/dev/shm');
  const size = (bytes: number) => ['nosuid', 'noexec', 'nodev', 'mode=1777', `size=${bytes}`];
  t.deepEqual(shm({})?.options, size(67108864));
  t.deepEqual(shm({ ipc: 'shareable', shmSize: '1m' })?.options, size(1048576));
  t.deepEqual(shm({ ipc: 'host' }), {
    destination: '/dev/shm',
    type: 'bind',
    source: '/dev/shm',
    options: ['rbind', 'rprivate'],
  });
  t.is(shm({ ipc: 'none' }), undefined);
  t.is(shm({ ipc: 'container:x' }), undefined);
  t.is(plan({ shmSize: '1m' }).hostConfig.ShmSize, 1048576);
});

test('names of the host are never set', (t) => {
  const { spec, config } = plan({ uts: 'host', domainname: 'lan' });
  t.is(spec.hostname, undefined);
  t.is(spec.domainname, undefined);
  t.is(config.Hostname, 'metal');
  t.is(plan({ hostname: 'h', domainname: 'lan' }).spec.domainname, 'lan');
  refused(t, () => plan({ uts: 'host', hostname: 'h' }), 'conflicting options: hostname and the UTS mode');
});

test('names in /etc/hosts: the full one, then the short one', (t) => {
  const names = (options: Partial<RunOptions>) => plan(options).launch.network.hostname;
  t.is(names({ hostname: 'h' }), 'h');
  t.is(names({ hostname: 'h.lan' }), 'h.lan h');
  t.is(names({ hostname: 'h', domainname: 'a.b' }), 'h.a.b h');
  t.is(names({ hostname: 'h.x', domainname: 'a.b' }), 'h.x.a.b h.x');
});

test('sysctls of a namespace that is the host’s are refused', (t) => {
  const sysctl = ['net.core.somaxconn=9', 'kernel.shmmax=1'];
  t.like(plan({ sysctl }).spec.linux.sysctl, {
    'net.core.somaxconn': '9',
    'kernel.shmmax': '1',
    'net.ipv4.ip_unprivileged_port_start': '0',
  });
  t.deepEqual(plan({ sysctl: ['kernel.sem=1'], network: 'host' }).spec.linux.sysctl, { 'kernel.sem': '1' });
  refused(
    t,
    () => plan({ sysctl, network: 'host' }),
    'sysctl "net.core.somaxconn" not allowed in host network namespace',
  );
  refused(
    t,
    () => plan({ sysctl, ipc: 'host' }),
    'sysctl "kernel.shmmax" is not allowed in the hosts ipc namespace',
  );
});

test('a cgroup is the store’s and the container’s own by its name, wherever it is', (t) => {
  const id = '0123456789ab'.padEnd(64, 'f');
  const path = (cgroupParent?: string) => plan({ cgroupParent }).spec.linux.cgroupsPath;
  t.is(path(), `/tsrun/1a2b3c/${id}`);
  t.is(path('foo'), `/foo/tsrun-1a2b3c-${id}`);
  t.is(path('../..'), `/tsrun-1a2b3c-${id}`);
});

test('capabilities', (t) => {
  const own = ['CAP_CHOWN', 'CAP_KILL', 'CAP_NET_ADMIN', 'CAP_NET_RAW'];
  const names = (options: Partial<RunOptions>) =>
    plan(options, { capabilities: own }).spec.process.capabilities?.bounding;
  const table: [Partial<RunOptions>, string[]][] = [
    [{ capAdd: ['net_admin'] }, ['CAP_CHOWN', 'CAP_NET_RAW', 'CAP_KILL', 'CAP_NET_ADMIN']],
    [{ capDrop: ['net_raw'] }, ['CAP_CHOWN', 'CAP_KILL']],
    [{ capDrop: ['all'] }, []],
    [{ capDrop: ['all'], capAdd: ['chown'] }, ['CAP_CHOWN']],
    [{ capAdd: ['all'] }, own],
    [{ capAdd: ['all'], capDrop: ['kill'] }, ['CAP_CHOWN', 'CAP_NET_ADMIN', 'CAP_NET_RAW']],
    [{ privileged: true, capDrop: ['kill'] }, own],
  ];
  for (const [options, expected] of table) t.deepEqual(names(options), expected, JSON.stringify(options));
  refused(
    t,
    () => names({ capAdd: ['sys_admin'] }),
    'unable to apply caps: CAP_SYS_ADMIN: operation not permitted',
    'HOST',
  );
  t.deepEqual(plan({ privileged: true }, { capabilities: own }).warnings, []);
  t.like(plan({ capAdd: ['net_admin'], capDrop: ['all'] }).hostConfig, {
    CapAdd: ['CAP_NET_ADMIN'],
    CapDrop: ['ALL'],
  });
});

test('privileged: everything that the profile takes away, and nothing by halves', (t) => {
  const { spec, hostConfig } = plan({ privileged: true });
  t.is(spec.linux.seccomp, undefined);
  t.deepEqual(spec.linux.maskedPaths, []);
  t.deepEqual(spec.linux.readonlyPaths, []);
  t.deepEqual(spec.linux.resources?.devices, [{ allow: true, access: 'rwm' }]);
  t.deepEqual(spec.linux.devices, [
    { type: 'b', path: '/dev/sda', major: 8, minor: 0, fileMode: 0o660, uid: 0, gid: 6 },
  ]);
  for (const path of ['/sys', '/sys/fs/cgroup']) {
    const mount = spec.mounts.find(({ destination }) => destination === path);
    t.false(mount?.options?.includes('ro'), path);
  }
  t.like(hostConfig, { Privileged: true, MaskedPaths: null, ReadonlyPaths: null });
  t.deepEqual(hostConfig.SecurityOpt, ['label=disable']);
  t.not(plan({ privileged: true, securityOpt: ['seccomp=builtin'] }).spec.linux.seccomp, undefined);
});

test('security options reach the spec', (t) => {
  const { spec, hostConfig } = plan({
    securityOpt: ['no-new-privileges', 'seccomp=unconfined', 'systempaths=unconfined'],
  });
  t.true(spec.process.noNewPrivileges);
  t.is(spec.linux.seccomp, undefined);
  t.deepEqual(spec.linux.maskedPaths, []);
  t.like(hostConfig, { MaskedPaths: [], ReadonlyPaths: [] });
  t.deepEqual(hostConfig.SecurityOpt, ['no-new-privileges', 'seccomp=unconfined']);
  t.deepEqual(plan({ pid: 'host' }).hostConfig.SecurityOpt, ['label=disable']);
  t.is(plan({}).hostConfig.SecurityOpt, null);
  t.true(plan({ readOnly: true }).spec.root.readonly);
  t.deepEqual(plan({ annotation: ['a=b', 'c'] }).spec.annotations, { a: 'b', c: '' });
  t.deepEqual(plan({ groupAdd: ['audio', '5'] }).launch.groupAdd, ['audio', '5']);
});

test('a seccomp profile is resolved for this machine and this container', (t) => {
  const rule = (name: string, more: object = {}) => ({ names: [name], action: 'SCMP_ACT_ALLOW', ...more });
  const profile = {
    defaultAction: 'SCMP_ACT_ERRNO',
    archMap: [
      { architecture: 'SCMP_ARCH_AARCH64', subArchitectures: ['SCMP_ARCH_ARM'] },
      { architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32'] },
    ],
    syscalls: [
      rule('always', { args: [{ index: 0, value: 1, op: 'SCMP_CMP_EQ' }] }),
      rule('with-cap', { includes: { caps: ['CAP_BPF'] } }),
      rule('without-cap', { excludes: { caps: ['CAP_BPF'] } }),
      rule('here', { includes: { arches: ['amd64', 'x32'] } }),
      rule('elsewhere', { includes: { arches: ['arm64'] } }),
      rule('new', { includes: { minKernel: '7.0' } }),
      rule('old', { includes: { minKernel: '4.8' }, errnoRet: 3 }),
    ],
  };
  const seccomp = (capAdd: string[]) => {
    const input = planInput({ capAdd }, { Cmd: ['c'] });
    const intent = parseRun(
      { image: 'i', capAdd, securityOpt: ['seccomp=p'] },
      { env: {}, cwd: '/', readFile: () => Buffer.from(JSON.stringify(profile)) },
    );
    return planRun({ ...input, intent }).spec.linux.seccomp;
  };
  const plain = seccomp([]);
  t.deepEqual(plain?.architectures, ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32']);
  t.deepEqual(plain?.syscalls, [
    { names: ['always'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value: 1, op: 'SCMP_CMP_EQ' }] },
    { names: ['without-cap'], action: 'SCMP_ACT_ALLOW' },
    { names: ['here'], action: 'SCMP_ACT_ALLOW' },
    { names: ['old'], action: 'SCMP_ACT_ALLOW', errnoRet: 3 },
  ]);
  const names = seccomp(['BPF'])?.syscalls?.flatMap((each) => each.names);
  t.deepEqual(names, ['always', 'with-cap', 'here', 'old']);
});

test('devices: nodes and rules, a directory as a whole', (t) => {
  const node = (path: string, minor: number): DeviceNode => ({
    path,
    type: 'c',
    major: 10,
    minor,
    mode: 0o640,
    uid: 0,
    gid: 7,
  });
  const devices = {
    find: (path: string) =>
      path === '/dev/dir' ? [node('/dev/dir/a', 1), node('/dev/dir/b/c', 2)] : [node(path, 3)],
  };
  const input = planInput(
    { device: ['/dev/fuse:/dev/x/fuse:rw', '/dev/dir:/dev/other'], deviceCgroupRule: ['b 8:* r'] },
    { Cmd: ['c'] },
    someHost,
    { devices },
  );
  const { spec, hostConfig } = planRun(input);
  const made = (path: string, minor: number) => ({
    type: 'c',
    path,
    major: 10,
    minor,
    fileMode: 0o640,
    uid: 0,
    gid: 7,
  });
  t.deepEqual(spec.linux.devices, [
    made('/dev/x/fuse', 3),
    made('/dev/other/a', 1),
    made('/dev/other/b/c', 2),
  ] as typeof spec.linux.devices);
  t.deepEqual(spec.linux.resources?.devices?.slice(-4), [
    { allow: true, type: 'c', major: 10, minor: 3, access: 'rw' },
    { allow: true, type: 'c', major: 10, minor: 1, access: 'rwm' },
    { allow: true, type: 'c', major: 10, minor: 2, access: 'rwm' },
    { allow: true, type: 'b', major: 8, access: 'r' },
  ]);
  t.deepEqual(spec.linux.resources?.devices?.[0], { allow: false, access: 'rwm' });
  t.deepEqual(hostConfig.Devices, [
    { PathOnHost: '/dev/fuse', PathInContainer: '/dev/x/fuse', CgroupPermissions: 'rw' },
    { PathOnHost: '/dev/dir', PathInContainer: '/dev/other', CgroupPermissions: 'rwm' },
  ]);
  t.deepEqual(hostConfig.DeviceCgroupRules, ['b 8:* r']);
  // What start reads back of them is what was asked.
  const wishes = deviceWishes(JSON.parse(JSON.stringify(hostConfig)));
  t.deepEqual(wishes && planDevices(wishes, devices), {
    nodes: spec.linux.devices,
    rules: spec.linux.resources?.devices,
  } as ReturnType<typeof planDevices>);
  t.is(deviceWishes(planRun(planInput({ deviceCgroupRule: ['a *:* r'] })).hostConfig), undefined);
});
