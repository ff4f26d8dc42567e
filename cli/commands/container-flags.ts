/** Flags of run and create that shape the container: limits, life, files, namespaces, security, names. */
import type { RunOptions, UpdateOptions } from '../../src/types/engine.js';
import type { Flag, FlagValues } from '../flags.js';
import { UsageError } from '../usage.js';

const text = <const N extends string>(name: N, help: string) => ({ name, kind: 'string', help }) as const;
const list = <const N extends string>(name: N, help: string) => ({ name, kind: 'list', help }) as const;
const int = <const N extends string>(name: N, help: string) => ({ name, kind: 'int', help }) as const;
const bool = <const N extends string>(name: N, help: string) => ({ name, kind: 'bool', help }) as const;

/** Docker has them: told apart from a slip of the pen. */
const UNSUPPORTED = [
  'blkio-weight-device',
  'cpu-rt-period',
  'cpu-rt-runtime',
  'device-read-bps',
  'device-read-iops',
  'device-write-bps',
  'device-write-iops',
  'gpus',
  'isolation',
  'kernel-memory',
  'link-local-ip',
  'memory-swappiness',
  'runtime',
  'storage-opt',
  'volume-driver',
] as const;

/** Values that ask for nothing but what is so anyway. */
const INERT: Record<string, readonly string[]> = {
  isolation: ['', 'default'],
  'memory-swappiness': ['-1'],
  'volume-driver': ['', 'local'],
};

export const CONTAINER_FLAGS = [
  { ...text('memory', 'Memory limit (64m, 1.5g); at least 6m'), short: 'm' },
  text('memory-swap', 'Limit of memory plus swap; -1 for unlimited swap'),
  text('memory-reservation', 'Memory soft limit'),
  text('cpus', 'Number of CPUs (1.5)'),
  { ...int('cpu-shares', 'CPU shares, a relative weight'), short: 'c' },
  int('cpu-period', 'Period of the CPU quota in microseconds'),
  int('cpu-quota', 'CPU time per period in microseconds'),
  text('cpuset-cpus', 'CPUs to run on (0-3,5)'),
  text('cpuset-mems', 'Memory nodes to use (0,1)'),
  int('pids-limit', 'Most processes at a time; -1 for unlimited'),
  list('ulimit', 'Resource limit (nofile=1024:2048)'),
  text('shm-size', 'Size of /dev/shm'),
  int('oom-score-adj', 'Preference of the OOM killer, -1000 to 1000'),
  int('blkio-weight', 'Weight of block I/O, 10 to 1000'),

  bool('init', 'Run an init that passes signals on and reaps processes'),
  { ...text('restart', 'When to start it again: no, on-failure[:N], always, unless-stopped'), default: 'no' },
  text('stop-signal', 'Signal that asks it to stop'),
  int('stop-timeout', 'Seconds to wait before it is killed; -1 for ever'),
  text('health-cmd', 'Command that checks its health'),
  text('health-interval', 'Time between two checks (30s)'),
  text('health-timeout', 'Longest time of one check'),
  text('health-start-period', 'Time during which failures do not count'),
  text('health-start-interval', 'Time between two checks in the start period'),
  int('health-retries', 'Failures in a row that make it unhealthy'),
  bool('no-healthcheck', "Switch the image's check off"),

  list('mount', 'Mount something (type=bind|volume|tmpfs,src=…,dst=…)'),
  list('tmpfs', 'Mount a tmpfs (/run:size=64m)'),
  list('volumes-from', 'Mount what another container has mounted'),
  bool('read-only', 'Make the root file system read-only'),
  list('device', 'Give it a device of the host (/dev/sda:/dev/xvda:rwm)'),
  list('device-cgroup-rule', 'Allow devices by number (c 10:200 rwm)'),

  text('pid', 'PID namespace: host or container:NAME'),
  text('ipc', 'IPC namespace: none, private, shareable, host or container:NAME'),
  text('uts', 'UTS namespace: host'),
  text('cgroupns', 'Cgroup namespace: host or private'),
  text('userns', 'User namespace: host'),
  text('cgroup-parent', 'Cgroup to put its own below'),
  list('sysctl', 'Kernel setting of its namespaces (net.core.somaxconn=1024)'),

  bool('privileged', 'Give it all capabilities and devices that we have ourselves'),
  list('cap-add', 'Add a capability'),
  list('cap-drop', 'Drop a capability'),
  list('security-opt', 'no-new-privileges, seccomp=unconfined|FILE, systempaths=unconfined'),
  list('group-add', 'Add the user to a group'),

  text('domainname', 'Domain name of the container'),
  list('add-host', 'Add a line to /etc/hosts (name:ip)'),
  list('dns', 'DNS server'),
  list('dns-search', 'Domain to search; "." for none'),
  list('dns-option', 'Option of the resolver'),
  { ...list('dns-opt', 'Same as --dns-option'), hidden: true },
  list('expose', 'Tell others of a port (80, 80-82/udp)'),

  { ...list('attach', 'Attach to STDIN, STDOUT or STDERR'), short: 'a' },
  list('label-file', 'Read labels from a file'),
  list('annotation', 'Add an annotation to the OCI spec'),
  text('cidfile', 'Write the container ID to a file'),
  text('log-driver', 'json-file (default), local or none'),
  list('log-opt', 'Option of the log (max-size=10m)'),

  ...UNSUPPORTED.map((name) => ({ ...text(name, ''), hidden: true }) as const),
  { ...bool('oom-kill-disable', ''), hidden: true },
  // There is nothing to disable.
  { ...bool('disable-content-trust', ''), hidden: true },
] as const satisfies readonly Flag[];

type Values = FlagValues<typeof CONTAINER_FLAGS>;

/**
 * Texts go to the engine as they are typed: it reads, and refuses, them for all its users alike.
 * @throws UsageError for a flag that Docker has and tsrun has not
 */
export function containerOptions(flags: Values): Partial<RunOptions> {
  refuseUnsupported(flags);
  return {
    ...limits(flags),
    ...life(flags),
    mount: flags.mount,
    tmpfs: flags.tmpfs,
    volumesFrom: flags['volumes-from'],
    readOnly: flags['read-only'],
    device: flags.device,
    deviceCgroupRule: flags['device-cgroup-rule'],
    pid: flags.pid,
    ipc: flags.ipc,
    uts: flags.uts,
    cgroupns: flags.cgroupns,
    userns: flags.userns,
    cgroupParent: flags['cgroup-parent'],
    sysctl: flags.sysctl,
    privileged: flags.privileged,
    capAdd: flags['cap-add'],
    capDrop: flags['cap-drop'],
    securityOpt: flags['security-opt'],
    groupAdd: flags['group-add'],
    domainname: flags.domainname,
    addHost: flags['add-host'],
    dns: flags.dns,
    dnsSearch: flags['dns-search'],
    dnsOption: [...flags['dns-option'], ...flags['dns-opt']],
    expose: flags.expose,
    attach: flags.attach,
    labelFile: flags['label-file'],
    annotation: flags.annotation,
    cidFile: flags.cidfile,
    logDriver: flags['log-driver'],
    logOpt: flags['log-opt'],
  };
}

function refuseUnsupported(flags: Values): void {
  const asked = UNSUPPORTED.find((name) => {
    const value = flags[name];
    return value !== undefined && !INERT[name]?.includes(value);
  });
  const name = asked ?? (flags['oom-kill-disable'] ? 'oom-kill-disable' : undefined);
  if (name !== undefined) throw new UsageError(`tsrun: --${name} is not supported`, 125);
}

/** Flags of what {@link changeableLimits} reads. */
export const CHANGEABLE_LIMITS = [
  'memory',
  'memory-swap',
  'memory-reservation',
  'cpus',
  'cpu-shares',
  'cpu-period',
  'cpu-quota',
  'cpuset-cpus',
  'cpuset-mems',
  'pids-limit',
  'blkio-weight',
] as const;
export type ChangeableLimit = (typeof CHANGEABLE_LIMITS)[number];

function limits(flags: Values): Partial<RunOptions> {
  return {
    ...changeableLimits(flags),
    ulimit: flags.ulimit,
    shmSize: flags['shm-size'],
    oomScoreAdj: flags['oom-score-adj'],
  };
}

/** Those of a container that `update` can give it later. */
export function changeableLimits(flags: Pick<Values, ChangeableLimit>): UpdateOptions {
  return {
    memory: flags.memory,
    memorySwap: flags['memory-swap'],
    memoryReservation: flags['memory-reservation'],
    cpus: flags.cpus,
    cpuShares: flags['cpu-shares'],
    cpuPeriod: flags['cpu-period'],
    cpuQuota: flags['cpu-quota'],
    cpusetCpus: flags['cpuset-cpus'],
    cpusetMems: flags['cpuset-mems'],
    pidsLimit: flags['pids-limit'],
    blkioWeight: flags['blkio-weight'],
  };
}

function life(flags: Values): Partial<RunOptions> {
  return {
    init: flags.init,
    restart: flags.restart,
    stopSignal: flags['stop-signal'],
    stopTimeout: flags['stop-timeout'],
    healthCmd: flags['health-cmd'],
    healthInterval: flags['health-interval'],
    healthTimeout: flags['health-timeout'],
    healthStartPeriod: flags['health-start-period'],
    healthStartInterval: flags['health-start-interval'],
    healthRetries: flags['health-retries'],
    noHealthcheck: flags['no-healthcheck'],
  };
}
