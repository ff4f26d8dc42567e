/** What this machine is and can do: everything that a plan depends on beside the user's wish and the image. */
export interface HostFacts {
  kernel: { major: number; minor: number /** as `uname -r` */; release: string };
  /** As images name it: amd64, arm64. */
  arch: string;
  hostname: string;
  isRoot: boolean;
  cgroup: CgroupFacts;
  /** Capabilities of our own bounding set: nothing outside it can be given to a container. */
  capabilities: string[];
  /** Our own hard limits by the names of `--ulimit`; one that is unlimited is absent. */
  hardLimits: Readonly<Record<string, number>>;
  cpus: { count: number /** "0-3,6" */; online: string };
  /** "0" or "0-1" */
  memoryNodes: string;
  /** Our own oom_score_adj: going below it needs CAP_SYS_RESOURCE. */
  oomScoreAdj: number;
  /** Existing /sys/devices/system/cpu/cpuN/thermal_throttle. */
  thermalThrottlePaths: string[];
  /** /etc/resolv.conf, '' if there is none. */
  resolvConf: string;
  /** The servers behind a local stub (systemd-resolved), where there is one. */
  upstreamResolvConf?: string;
  /** /etc/hosts, for containers on the host's network. */
  hosts: string;
  /** The program that changes the firewall, needed by bridge networks. */
  hasNft: boolean;
}

export interface CgroupFacts {
  /** hybrid = v1 controllers and a v2 mount beside them */
  mode: '1' | '2' | 'hybrid';
  controllers: string[];
  /** Swap can be limited beside memory. */
  swapLimit: boolean;
  /** The weight of block I/O has an effect, or at least a file. */
  blkioWeight: boolean;
}

/** A device of the host. */
export interface DeviceNode {
  /** Absolute, on the host. */
  path: string;
  type: 'b' | 'c';
  major: number;
  minor: number;
  /** Permission bits. */
  mode: number;
  uid: number;
  gid: number;
}

/** What only `info` asks for. */
export interface HostInfo {
  /** PRETTY_NAME of os-release. */
  operatingSystem: string;
  ncpu: number;
  /** bytes */
  memTotal: number;
  /** Kind of the file system that holds the store: extfs, xfs, btrfs, tmpfs, overlayfs, … */
  backingFilesystem: string;
  securityOptions: string[];
  /** What this machine lacks, one sentence each. */
  warnings: string[];
}
