/** What the container verbs take and give. */
import type { Readable, Writable } from 'node:stream';
import type { ContainerId, ImageId } from './ids.js';
import type { ImageRunConfig } from './oci.js';

export interface Created {
  id: ContainerId;
  warnings: string[];
}

export interface StartOptions {
  /** Streams that the caller wants from the first byte on. */
  attach?: { stdin?: boolean; stdout?: boolean; stderr?: boolean };
  consoleSize?: { rows: number; cols: number };
}

/** A live connection to a container's monitor. Losing it never disturbs the container. */
export interface Attachment {
  /** Ends with the container's output; with a terminal everything comes on stdout. */
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** end() gives the process its end of file. */
  readonly stdin: Writable;
  resize(size: { rows: number; cols: number }): void;
  /** Sends a signal number to PID 1. */
  signal(signal: number): Promise<void>;
  /** Exit code, after all output has been delivered and the container's resources are released. */
  readonly exit: Promise<number>;
  detach(): void;
}

/** As typed by the user, like {@link RunOptions}. */
export interface ExecOptions {
  command: string[];
  env?: string[];
  envFile?: string[];
  workdir?: string;
  user?: string;
  tty?: boolean;
  /** All of the machine's capabilities, whatever the container has. */
  privileged?: boolean;
  /** Streams that the caller wants; none = the process goes on by itself. */
  attach?: { stdin?: boolean; stdout?: boolean; stderr?: boolean };
  consoleSize?: { rows: number; cols: number };
}

export interface StopOptions {
  /** Signal number in place of the container's own. */
  signal?: number;
  /** Seconds until it is killed; -1 = never. Default: the container's, or 10. */
  timeout?: number;
}

export interface ContainerTop {
  titles: string[];
  processes: string[][];
}

export interface ExecResult {
  exitCode: number;
  stdout: Buffer;
  stderr: Buffer;
}

export interface ContainerSummary {
  id: ContainerId;
  names: string[];
  /** Reference as given, or the short image id once that tag is gone. */
  image: string;
  imageId: ImageId;
  command: string;
  /** RFC 3339 */
  created: string;
  state: ContainerState;
  /** "Up 3 seconds", "Exited (0) 2 minutes ago" */
  status: string;
  ports: string[];
  labels: Record<string, string>;
  mounts: string[];
  networks: string[];
  sizeRw?: number;
  sizeRootFs?: number;
}

export type ContainerState = 'created' | 'running' | 'paused' | 'restarting' | 'exited' | 'dead';

/** A container's place in one network, under the Engine API's names. */
export interface EndpointSettings {
  IPAMConfig: null;
  Links: null;
  Aliases: string[] | null;
  MacAddress: string;
  DriverOpts: Record<string, string> | null;
  NetworkID: string;
  EndpointID: string;
  Gateway: string;
  IPAddress: string;
  IPPrefixLen: number;
  IPv6Gateway: string;
  GlobalIPv6Address: string;
  GlobalIPv6PrefixLen: number;
  DNSNames: string[] | null;
}

/** `GET /containers/{id}/json` of the Engine API. */
export interface ContainerInspect {
  Id: ContainerId;
  Created: string;
  Path: string;
  Args: string[];
  State: {
    Status: ContainerState;
    Running: boolean;
    Paused: boolean;
    Restarting: boolean;
    OOMKilled: boolean;
    Dead: boolean;
    Pid: number;
    ExitCode: number;
    Error: string;
    StartedAt: string;
    FinishedAt: string;
    /** Of the last run that had a health check; "unhealthy" when it has ended, as Docker says it. */
    Health?: {
      Status: 'starting' | 'healthy' | 'unhealthy';
      FailingStreak: number;
      /** The last five, oldest first. */
      Log: { Start: string; End: string; ExitCode: number; Output: string }[];
    };
  };
  Image: ImageId;
  ResolvConfPath: string;
  HostnamePath: string;
  HostsPath: string;
  LogPath: string;
  Name: string;
  RestartCount: number;
  Driver: string;
  Platform: string;
  MountLabel: string;
  ProcessLabel: string;
  AppArmorProfile: string;
  ExecIDs: string[] | null;
  HostConfig: Record<string, unknown>;
  GraphDriver: { Name: string; Data: Record<string, string> };
  SizeRw?: number;
  SizeRootFs?: number;
  Mounts: {
    Type: 'bind' | 'volume' | 'tmpfs';
    Name?: string;
    Source: string;
    Destination: string;
    Driver?: string;
    Mode: string;
    RW: boolean;
    Propagation: string;
  }[];
  Config: ImageRunConfig & {
    Hostname: string;
    Domainname: string;
    AttachStdin: boolean;
    AttachStdout: boolean;
    AttachStderr: boolean;
    Tty: boolean;
    OpenStdin: boolean;
    StdinOnce: boolean;
    Image: string;
    /** seconds; below 0 = wait for ever; absent = 10 */
    StopTimeout?: number;
  };
  NetworkSettings: {
    Bridge: string;
    SandboxID: string;
    SandboxKey: string;
    Ports: Record<string, { HostIp: string; HostPort: string }[] | null>;
    HairpinMode: boolean;
    LinkLocalIPv6Address: string;
    LinkLocalIPv6PrefixLen: number;
    SecondaryIPAddresses: null;
    SecondaryIPv6Addresses: null;
    EndpointID: string;
    Gateway: string;
    GlobalIPv6Address: string;
    GlobalIPv6PrefixLen: number;
    IPAddress: string;
    IPPrefixLen: number;
    IPv6Gateway: string;
    MacAddress: string;
    Networks: Record<string, EndpointSettings>;
  };
}

export type ChangeKind = 'A' | 'C' | 'D';

/** What a path of a container names; the link itself, if it is one. */
export interface PathStat {
  /** Last component of the path, "/" of the root. */
  name: string;
  /** bytes */
  size: number;
  /** st_mode, with the type. */
  mode: number;
  /** RFC 3339 with nanoseconds */
  mtime: string;
  /** Of a link: the absolute path that it leads to inside the container, whether something is there or not. Else ''. */
  linkTarget: string;
}

export interface ContainerArchive {
  stat: PathStat;
  /** A tar. It ends without an error only if it is whole; destroying it stops the copy. */
  archive: Readable;
}

export interface CopyToOptions {
  /** A directory is not replaced by something else, nor the other way round. */
  noOverwriteDirNonDir?: boolean;
  signal?: AbortSignal;
  /** Bytes of the archive so far. */
  onProgress?: (bytes: number) => void;
}

export interface CopyOptions {
  /** What a link at the end of the source's path names is copied, not the link. */
  followLink?: boolean;
  /** Out of a container: owners, set-uid bits, file capabilities and devices as they are in there. Otherwise what is new is the caller's. */
  archive?: boolean;
  signal?: AbortSignal;
  /** Bytes of the archive in between so far. */
  onProgress?: (bytes: number) => void;
}

export interface CopyResult {
  /** Bytes of the archive in between, as Docker tells them. */
  size: number;
  /** Where it went: absolute, links at its end followed. */
  path: string;
}

export interface LogEntry {
  stream: 'stdout' | 'stderr';
  /** RFC 3339 with nanoseconds */
  time: string;
  /** With its newline, if it had one. */
  line: Uint8Array;
}

export interface LogsOptions {
  follow?: boolean;
  /** Last N lines; undefined = all. */
  tail?: number;
  since?: Date;
  until?: Date;
  signal?: AbortSignal;
}

export interface StatsOptions {
  /** Without names: those that do not run, too. */
  all?: boolean;
}

/** What a container has used until `time`; without `usage` it does not run. */
export interface ContainerStats {
  id: ContainerId;
  name: string;
  /** nanoseconds of a monotonic clock: what processor use is divided by, between two of these */
  time: bigint;
  usage?: ContainerUsage;
}

/** What a container's cgroup and network namespace have used. */
export interface ContainerUsage {
  /** nanoseconds of processor time */
  cpu: number;
  /** bytes, without file pages that the kernel would give back first */
  memory: number;
  /** bytes; the machine's memory when there is no lower limit */
  memoryLimit: number;
  /** bytes through all interfaces but lo */
  received: number;
  sent: number;
  /** bytes from and to block devices */
  read: number;
  written: number;
  pids: number;
}

export interface PsOptions {
  all?: boolean;
  size?: boolean;
  last?: number;
  /** key -> values: same key = or, different keys = and */
  filters?: Record<string, string[]>;
}
