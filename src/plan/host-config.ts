/** `HostConfig` of inspect: what was asked, and for all that cannot be asked for yet what Docker shows for "not set". */
import type { RunIntent } from '../intent/run.js';
import type { MountIntent } from '../intent/volume.js';
import type { Parts } from './parts.js';
import { MASKED_PATHS, READONLY_PATHS, SHM_SIZE } from './profile.js';

export function planHostConfig(intent: RunIntent, parts: Parts): Record<string, unknown> {
  const { log, restart, security, resolver } = intent;
  return {
    Binds: bindsOf(intent.mounts),
    ContainerIDFile: intent.cidFile ?? '',
    LogConfig: { Type: log.driver, Config: log.config },
    NetworkMode: intent.network,
    PortBindings: {},
    RestartPolicy: { Name: restart.name, MaximumRetryCount: restart.maxRetries },
    AutoRemove: intent.rm,
    VolumeDriver: '',
    VolumesFrom: listOrNull(intent.volumesFrom.map(({ text }) => text)),
    ConsoleSize: [intent.consoleSize?.rows ?? 0, intent.consoleSize?.cols ?? 0],
    CapAdd: listOrNull(security.capAdd),
    CapDrop: listOrNull(security.capDrop),
    Dns: resolver.servers,
    DnsOptions: resolver.options,
    DnsSearch: resolver.search,
    ExtraHosts: listOrNull(intent.extraHosts.map(({ name, address }) => `${name}:${address}`)),
    GroupAdd: listOrNull(intent.groupAdd),
    ...parts.namespaces.api,
    Cgroup: '',
    CgroupParent: intent.namespaces.cgroupParent?.text ?? '',
    Links: null,
    OomScoreAdj: intent.oomScoreAdj ?? 0,
    Privileged: security.privileged,
    PublishAllPorts: false,
    ReadonlyRootfs: intent.readOnly,
    SecurityOpt: securityOptions(intent),
    UsernsMode: intent.namespaces.user,
    ShmSize: intent.shmSize ?? SHM_SIZE,
    Runtime: 'tsrun-runtime',
    Isolation: '',
    ...whenGiven('Init', intent.init || undefined),
    ...whenGiven(
      'Mounts',
      intent.mounts.flatMap(({ api }) => api ?? []),
    ),
    ...whenGiven('Tmpfs', tmpfsOf(intent.mounts)),
    ...whenGiven('Sysctls', intent.sysctls),
    ...whenGiven('Annotations', intent.annotations),
    ...NOT_SET,
    ...parts.limits.api,
    Ulimits: intent.ulimits.map(({ name, soft, hard }) => ({ Name: name, Hard: hard, Soft: soft })),
    Devices: intent.devices.map(({ host, container, permissions }) => ({
      PathOnHost: host,
      PathInContainer: container,
      CgroupPermissions: permissions,
    })),
    DeviceCgroupRules: listOrNull(intent.deviceRules.map(({ text }) => text)),
    ...systemPaths(intent),
  };
}

/** What cannot be asked for. */
const NOT_SET = {
  BlkioWeightDevice: [],
  BlkioDeviceReadBps: [],
  BlkioDeviceWriteBps: [],
  BlkioDeviceReadIOps: [],
  BlkioDeviceWriteIOps: [],
  CpuRealtimePeriod: 0,
  CpuRealtimeRuntime: 0,
  DeviceRequests: null,
  KernelMemory: 0,
  KernelMemoryTCP: 0,
  MemorySwappiness: null,
  OomKillDisable: false,
  CpuCount: 0,
  CpuPercent: 0,
  IOMaximumIOps: 0,
  IOMaximumBandwidth: 0,
};

function listOrNull<T>(list: readonly T[]): readonly T[] | null {
  return list.length > 0 ? list : null;
}

/** Docker leaves these fields out when they are empty. */
function whenGiven(name: string, value: unknown): Record<string, unknown> {
  const isEmpty =
    value === undefined || (typeof value === 'object' && value !== null && Object.keys(value).length === 0);
  return isEmpty ? {} : { [name]: value };
}

function bindsOf(mounts: readonly MountIntent[]): readonly string[] | null {
  return listOrNull(
    mounts.flatMap((mount) => {
      if (mount.kind === 'anonymous' || mount.kind === 'tmpfs' || mount.api !== undefined) return [];
      return [[mount.source, mount.destination, mount.mode].filter((part) => part !== '').join(':')];
    }),
  );
}

function tmpfsOf(mounts: readonly MountIntent[]): Record<string, string> {
  return Object.fromEntries(
    mounts.flatMap((mount) =>
      mount.kind === 'tmpfs' && mount.api === undefined ? [[mount.destination, mount.text]] : [],
    ),
  );
}

/** Docker's word for containers that share so much with the host that SELinux labels would only be in the way. */
const UNLABELLED = 'label=disable';

function securityOptions({ security, namespaces }: RunIntent): readonly string[] | null {
  const { privileged, options, systemPathsUnconfined } = security;
  const isOpen = privileged || namespaces.pid === 'host' || namespaces.ipc === 'host';
  const all = isOpen && !options.includes(UNLABELLED) ? [...options, UNLABELLED] : options;
  return systemPathsUnconfined ? all : listOrNull(all);
}

function systemPaths({
  security,
}: RunIntent): Record<'MaskedPaths' | 'ReadonlyPaths', readonly string[] | null> {
  if (security.systemPathsUnconfined) return { MaskedPaths: [], ReadonlyPaths: [] };
  if (security.privileged) return { MaskedPaths: null, ReadonlyPaths: null };
  return { MaskedPaths: MASKED_PATHS, ReadonlyPaths: READONLY_PATHS };
}
