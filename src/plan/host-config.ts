/** `HostConfig` of inspect: what was asked, and for all that cannot be asked for yet what Docker shows for "not set". */
import type { NetworkMode, RunIntent } from '../intent/run.js';
import type { MountIntent } from '../intent/volume.js';
import { LOG_MAX_FILE, LOG_MAX_SIZE } from './launch.js';
import { MASKED_PATHS, READONLY_PATHS, SHM_SIZE } from './profile.js';

export function planHostConfig(intent: RunIntent): Record<string, unknown> {
  return {
    Binds: bindsOf(intent.mounts),
    ContainerIDFile: '',
    LogConfig: {
      Type: 'json-file',
      Config: { 'max-file': String(LOG_MAX_FILE), 'max-size': `${LOG_MAX_SIZE / 1024 ** 2}m` },
    },
    NetworkMode: intent.network satisfies NetworkMode,
    PortBindings: {},
    RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
    AutoRemove: intent.rm,
    VolumeDriver: '',
    VolumesFrom: null,
    ConsoleSize: [intent.consoleSize?.rows ?? 0, intent.consoleSize?.cols ?? 0],
    CapAdd: null,
    CapDrop: null,
    CgroupnsMode: 'private',
    Dns: [],
    DnsOptions: [],
    DnsSearch: [],
    ExtraHosts: null,
    GroupAdd: null,
    IpcMode: 'private',
    Cgroup: '',
    Links: null,
    OomScoreAdj: 0,
    PidMode: '',
    Privileged: false,
    PublishAllPorts: false,
    ReadonlyRootfs: false,
    SecurityOpt: null,
    UTSMode: '',
    UsernsMode: '',
    ShmSize: SHM_SIZE,
    Runtime: 'tsrun-runtime',
    Isolation: '',
    ...noLimits(),
    MaskedPaths: MASKED_PATHS,
    ReadonlyPaths: READONLY_PATHS,
  };
}

function bindsOf(mounts: readonly MountIntent[]): string[] | null {
  const binds = mounts.flatMap((mount) =>
    mount.kind === 'anonymous'
      ? []
      : [[mount.source, mount.destination, mount.mode].filter((part) => part !== '').join(':')],
  );
  return binds.length > 0 ? binds : null;
}

function noLimits(): Record<string, unknown> {
  return {
    CpuShares: 0,
    Memory: 0,
    NanoCpus: 0,
    CgroupParent: '',
    BlkioWeight: 0,
    BlkioWeightDevice: [],
    BlkioDeviceReadBps: [],
    BlkioDeviceWriteBps: [],
    BlkioDeviceReadIOps: [],
    BlkioDeviceWriteIOps: [],
    CpuPeriod: 0,
    CpuQuota: 0,
    CpuRealtimePeriod: 0,
    CpuRealtimeRuntime: 0,
    CpusetCpus: '',
    CpusetMems: '',
    Devices: [],
    DeviceCgroupRules: null,
    DeviceRequests: null,
    MemoryReservation: 0,
    MemorySwap: 0,
    MemorySwappiness: null,
    OomKillDisable: false,
    PidsLimit: null,
    Ulimits: [],
    CpuCount: 0,
    CpuPercent: 0,
    IOMaximumIOps: 0,
    IOMaximumBandwidth: 0,
  };
}
