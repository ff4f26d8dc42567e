/**
 * What `run` and `create` take: texts as the user types them, in Docker's grammar, one field per flag. src/intent
 * turns it into RunIntent.
 */
import type { PullEvent } from './engine.js';

/** A number of the unit's smallest part, or a text with a unit ("64m", "1.5"). */
export type Amount = number | string;

export interface LimitOptions {
  /** bytes, or b/k/m/g; at least 6 MB */
  memory?: Amount;
  /** memory plus swap; -1 = unlimited swap */
  memorySwap?: Amount;
  memoryReservation?: Amount;
  /** "1.5" */
  cpus?: Amount;
  cpuShares?: number;
  /** microseconds */
  cpuPeriod?: number;
  /** microseconds */
  cpuQuota?: number;
  /** "0-3,5" */
  cpusetCpus?: string;
  cpusetMems?: string;
  /** 0 and below = unlimited */
  pidsLimit?: number;
  /** "nofile=1024:2048" */
  ulimit?: string[];
  shmSize?: Amount;
  /** -1000 to 1000 */
  oomScoreAdj?: number;
  /** 10 to 1000 */
  blkioWeight?: number;
}

/** What `update` changes; what is absent stays. */
export interface UpdateOptions extends Omit<LimitOptions, 'ulimit' | 'shmSize' | 'oomScoreAdj'> {
  /** As {@link LifeOptions.restart}. */
  restart?: string;
}

export interface LifeOptions {
  /** tsrun's own init is PID 1: it passes signals on and reaps. */
  init?: boolean;
  /** "no", "on-failure[:max-retries]", "always", "unless-stopped" */
  restart?: string;
  stopSignal?: string;
  /** seconds; below 0 = wait for ever */
  stopTimeout?: number;
  /** A line for the container's shell. */
  healthCmd?: string;
  /** Durations: "30s", "1m30s". */
  healthInterval?: string;
  healthTimeout?: string;
  healthStartPeriod?: string;
  healthStartInterval?: string;
  healthRetries?: number;
  /** Switches the image's check off. */
  noHealthcheck?: boolean;
}

export interface FileOptions {
  volume?: string[];
  /** "type=bind,src=/a,dst=/b,ro" */
  mount?: string[];
  /** "/path[:options]" */
  tmpfs?: string[];
  /** "container[:ro]" */
  volumesFrom?: string[];
  readOnly?: boolean;
  /** "host[:container[:rwm]]" */
  device?: string[];
  /** "c 1:3 rwm" */
  deviceCgroupRule?: string[];
}

export interface NamespaceOptions {
  /** "host" or "container:NAME" */
  pid?: string;
  /** "none", "private", "shareable", "host" or "container:NAME" */
  ipc?: string;
  /** "host" */
  uts?: string;
  /** "host" or "private" */
  cgroupns?: string;
  cgroupParent?: string;
  /** "host": as without it */
  userns?: string;
  sysctl?: string[];
}

export interface SecurityOptions {
  privileged?: boolean;
  capAdd?: string[];
  capDrop?: string[];
  /** "no-new-privileges", "seccomp=unconfined|builtin|FILE", "systempaths=unconfined" */
  securityOpt?: string[];
  groupAdd?: string[];
}

export interface NameOptions {
  hostname?: string;
  domainname?: string;
  network?: string;
  /** "name:ip"; the ip may be host-gateway */
  addHost?: string[];
  dns?: string[];
  dnsSearch?: string[];
  dnsOption?: string[];
  /** "80[-90][/udp]": for other tools to read */
  expose?: string[];
}

export interface RunOptions
  extends LimitOptions,
    LifeOptions,
    FileOptions,
    NamespaceOptions,
    SecurityOptions,
    NameOptions {
  image: string;
  /** Arguments after the image: replace CMD. */
  command?: string[];
  name?: string;
  interactive?: boolean;
  tty?: boolean;
  detach?: boolean;
  /** Streams the first client wants: stdin, stdout, stderr. Without it: the output, and with `interactive` stdin. */
  attach?: string[];
  rm?: boolean;
  env?: string[];
  envFile?: string[];
  workdir?: string;
  user?: string;
  /** undefined = the image's; '' = none */
  entrypoint?: string;
  pull?: 'missing' | 'always' | 'never';
  platform?: string;
  label?: string[];
  labelFile?: string[];
  annotation?: string[];
  /** The new container's id is written to this file, which must not be there yet. */
  cidFile?: string;
  /** json-file (default), local or none */
  logDriver?: string;
  /** "max-size=10m" */
  logOpt?: string[];
  /** For a terminal: its size at start. */
  consoleSize?: { rows: number; cols: number };
  /** Progress of an implicit pull. */
  onPull?: (event: PullEvent) => void;
  signal?: AbortSignal;
}
