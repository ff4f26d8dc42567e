/**
 * The public API: what `createEngine()` returns. The CLI is its first user; nothing it does goes around this interface.
 * Field names of `inspect` results are those of Docker's Engine API, since people script them.
 */
import type { Readable, Writable } from 'node:stream';
import type { ContainerId, Digest, ImageId } from './ids.js';
import type { HistoryEntry, ImageRunConfig } from './oci.js';
import type { RunOptions, UpdateOptions } from './run-options.js';

export type * from './run-options.js';

export interface EngineOptions {
  /** Store root; every piece of state lives below it. Default /var/lib/tsrun. */
  root?: string;
  /** Folder of per-registry settings, <dir>/<host:port>/hosts.toml. Default /etc/tsrun/certs.d. */
  certsDir?: string;
  /** PEM file of more CAs for registry connections. */
  extraCaFile?: string;
  /** Environment that is consulted (DOCKER_CONFIG, HTTPS_PROXY, values of `-e NAME`). Default process.env. */
  env?: Record<string, string | undefined>;
  /** Called with each step of the engine and of the helper. */
  onTrace?: (event: TraceEvent) => void;
}

export interface TraceEvent {
  step: string;
  subject?: string;
  /** microseconds since the traced process began */
  t?: number;
  source: 'engine' | 'helper';
}

// ---- images -----------------------------------------------------------------------------------------------------

export type LayerStatus =
  | 'Pulling fs layer'
  | 'Waiting'
  | 'Downloading'
  | 'Verifying Checksum'
  | 'Download complete'
  | 'Extracting'
  | 'Pull complete'
  | 'Already exists';

export type PullEvent =
  /** Before the registry is asked: "Using default tag: latest" is made from this. */
  | { kind: 'resolving'; reference: string; tag: string; repository: string; defaultTag: boolean }
  /** The manifest is known: "<tag>: Pulling from <repository path>" is made from this. */
  | { kind: 'found'; tag: string; repository: string }
  /** `id` is the first 12 hex of the compressed layer's digest. */
  | { kind: 'layer'; id: string; status: LayerStatus; current?: number; total?: number }
  | { kind: 'done'; reference: string; digest: Digest; upToDate: boolean };

export interface PullOptions {
  platform?: string;
  signal?: AbortSignal;
  onEvent?: (event: PullEvent) => void;
}

export interface PullResult {
  imageId: ImageId;
  /** Digest of what the tag pointed at: of the index, if it was one. */
  digest: Digest;
  /** Canonical: docker.io/library/redis:7 */
  reference: string;
  upToDate: boolean;
}

export type PushStatus =
  | 'Preparing'
  | 'Waiting'
  | 'Pushing'
  | 'Pushed'
  | 'Layer already exists'
  | `Mounted from ${string}`;

export type PushEvent =
  /** Canonical, without a tag: "The push refers to repository [docker.io/library/redis]" */
  | { kind: 'repository'; repository: string }
  /** `id` is the first 12 hex of the layer's diff ID. */
  | { kind: 'layer'; id: string; status: PushStatus; current?: number; total?: number }
  /** `size`: bytes of the manifest */
  | { kind: 'pushed'; tag: string; digest: Digest; size: number };

export interface PushOptions {
  /** Every tag of the repository; the reference then has none. */
  allTags?: boolean;
  signal?: AbortSignal;
  onEvent?: (event: PushEvent) => void;
}

export interface PushResult {
  /** Canonical */
  reference: string;
  /** Of the manifest in the registry. */
  digest: Digest;
}

export interface ImageSummary {
  id: ImageId;
  /** Familiar references: "redis:7", "localhost:5000/app:1". Empty for a dangling image. */
  repoTags: string[];
  repoDigests: string[];
  created: string;
  /** bytes of all layers' files */
  size: number;
  labels: Record<string, string>;
  dangling: boolean;
  containers: number;
}

export interface ImageInspect {
  Id: ImageId;
  RepoTags: string[];
  RepoDigests: string[];
  Parent: string;
  Comment: string;
  Created: string;
  Author: string;
  Config: ImageRunConfig;
  Architecture: string;
  Variant?: string;
  Os: string;
  Size: number;
  GraphDriver: { Name: string; Data: Record<string, string> };
  RootFS: { Type: 'layers'; Layers: string[] };
  Metadata: { LastTagTime: string };
}

export interface HistoryRow extends HistoryEntry {
  /** Image id for the newest row, "<missing>" for the others unless an image here is that step. */
  id: string;
  tags: string[];
  /** bytes */
  size: number;
}

export type RemovedImage = { untagged: string } | { deleted: string };

export interface LoadedImage {
  /** Familiar reference, or undefined for an untagged image. */
  reference?: string;
  imageId: ImageId;
  /** The other image that the reference named until now; it is still there, under its id. */
  previous?: ImageId;
}

export interface CommitOptions {
  /** What the new image will lack, said before it is made. */
  onWarning?: (text: string) => void;
  repository?: string;
  message?: string;
  author?: string;
  /** Dockerfile instructions: "CMD [\"a\"]", "ENV A=1". */
  changes?: string[];
  pause?: boolean;
}

// ---- containers -------------------------------------------------------------------------------------------------

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

/** A container that was to start with the machine; with `error` it did not. */
export interface BootResult {
  id: ContainerId;
  name: string;
  error?: unknown;
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
  usage?: {
    /** nanoseconds of processor time */
    cpu: number;
    /** bytes, without file pages that the kernel would give back first */
    memory: number;
    /** bytes */
    memoryLimit: number;
    received: number;
    sent: number;
    /** bytes from and to block devices */
    read: number;
    written: number;
    pids: number;
  };
}

/** One line of the event journal, in Docker's shape; `status`, `id` and `from` as Docker gives them. */
export interface EngineEvent {
  Type: 'container' | 'image' | 'volume' | 'network';
  /** "start", "exec_create: sh", "health_status: healthy" */
  Action: string;
  Actor: { ID: string; Attributes: Record<string, string> };
  status?: string;
  id?: string;
  from?: string;
  scope: string;
  /** seconds since 1970 */
  time: number;
  timeNano: bigint;
  /** The line as it stands in the journal. */
  json: string;
}

export interface EventsOptions {
  /** Without `since` and `until`, only what happens from now on. */
  since?: Date;
  /** The stream ends there; it is endless without. */
  until?: Date;
  /** key -> values: container, event, image, label, type, volume, network, scope */
  filters?: Record<string, string[]>;
  signal?: AbortSignal;
}

export interface PsOptions {
  all?: boolean;
  size?: boolean;
  last?: number;
  /** key -> values: same key = or, different keys = and */
  filters?: Record<string, string[]>;
}

/** `GET /volumes/{name}` of the Engine API. */
export interface VolumeInspect {
  /** RFC 3339, whole seconds */
  CreatedAt: string;
  Driver: 'local';
  Labels: Record<string, string> | null;
  /** Absolute directory of the volume's content. */
  Mountpoint: string;
  Name: string;
  Options: Record<string, string> | null;
  Scope: 'local';
}

export interface PruneResult {
  /** Names or full ids of what is gone. */
  deleted: string[];
  /** bytes */
  reclaimed: number;
}

/** What takes space; all sizes in bytes. */
export interface DiskUsage {
  /** Layers of all images, shared ones once. */
  layersSize: number;
  /** Of that, what only images without a container have. */
  layersReclaimable: number;
  images: (ImageSummary & { sharedSize: number; uniqueSize: number })[];
  /** With `sizeRw`. */
  containers: ContainerSummary[];
  /** `links`: how many containers have it. */
  volumes: { name: string; links: number; size: number }[];
}

export interface VolumesApi {
  /** A random name if none is given. One that exists is returned as it is. */
  create(options?: {
    name?: string;
    labels?: Record<string, string>;
    /** Of the local driver: type, device, o. It is mounted in each container that has the volume. */
    options?: Record<string, string>;
  }): Promise<VolumeInspect>;
  /** filters: dangling, driver, label, name. Sorted by name. */
  list(options?: { filters?: Record<string, string[]> }): Promise<VolumeInspect[]>;
  inspect(name: string): Promise<VolumeInspect>;
  /** Never while a container has it. With `force` a missing one is no error. */
  remove(name: string, options?: { force?: boolean }): Promise<void>;
  /** What no container has; only anonymous ones unless `all`. filters: label, label!, all. */
  prune(options?: { all?: boolean; filters?: Record<string, string[]> }): Promise<PruneResult>;
}

export interface ImagesOptions {
  all?: boolean;
  /** Reference pattern: "redis", "redis:7*". */
  reference?: string;
  filters?: Record<string, string[]>;
}

/** What a program needs to lend its own terminal to an {@link Attachment}. All throw a system error with `code`. */
export interface TerminalControl {
  /** Raw mode (cfmakeraw) on a terminal's fd; returns the old settings for `restoreTerminal`. */
  makeRaw(fd: number): Uint8Array;
  restoreTerminal(fd: number, saved: Uint8Array): void;
  windowSize(fd: number): { rows: number; cols: number };
  /** Ends the process without waiting for Node's threads: one may be writing to a terminal that nobody reads any more. */
  exitNow(code: number): never;
}

export interface Engine {
  readonly root: string;
  /** The addon's own functions: Node's setRawMode leaves output translation on, which breaks full-screen programs. */
  readonly terminal: TerminalControl;

  pull(reference: string, options?: PullOptions): Promise<PullResult>;
  push(reference: string, options?: PushOptions): Promise<PushResult[]>;
  images(options?: ImagesOptions): Promise<ImageSummary[]>;
  inspectImage(reference: string): Promise<ImageInspect>;
  history(reference: string): Promise<HistoryRow[]>;
  tag(source: string, target: string): Promise<void>;
  removeImage(reference: string, options?: { force?: boolean; noPrune?: boolean }): Promise<RemovedImage[]>;
  /** One tar that is an OCI layout and a docker archive at once. */
  save(references: string[], output: Writable): Promise<void>;
  /** docker archive, OCI layout in a tar (any compression), or a directory that is an OCI layout. */
  load(input: Readable | { dir: string }): Promise<LoadedImage[]>;

  create(options: RunOptions): Promise<Created>;
  start(container: string, options?: StartOptions): Promise<Attachment | undefined>;
  /**
   * One more process in a running container, with all that its first one has. The attachment is there when
   * `options.attach` asks for streams; its `signal` goes to the process, its `exit` is the process's code.
   */
  exec(container: string, options: ExecOptions): Promise<Attachment | undefined>;
  /** {@link exec} to its end, with `input` as its stdin: what it printed and its exit code. */
  execute(
    container: string,
    command: string[] | Omit<ExecOptions, 'attach'>,
    input?: string | Uint8Array,
  ): Promise<ExecResult>;
  /** Asks the program to end, and kills it when it does not. A container that does not run is a success. */
  stop(container: string, options?: StopOptions): Promise<void>;
  restart(container: string, options?: StopOptions): Promise<void>;
  pause(container: string): Promise<void>;
  unpause(container: string): Promise<void>;
  /** The streams of a running container, from now on. */
  attach(container: string, options?: { stdin?: boolean }): Promise<Attachment>;
  rename(container: string, name: string): Promise<void>;
  /** Other limits, or another restart policy; a container that runs has them at once. */
  update(container: string, options: UpdateOptions): Promise<{ warnings: string[] }>;
  /** Runs the health check of a running container now; true if it was a success. The result counts as any other. */
  healthcheck(container: string): Promise<boolean>;
  /** Its processes as the host's `ps` shows them; `psArgs` default -ef. */
  top(container: string, psArgs?: readonly string[]): Promise<ContainerTop>;
  /** `kill -s`: to PID 1 of a running container. */
  signal(container: string, signal: number): Promise<void>;
  /** Resolves with the exit code when the container is not running (any more). */
  wait(container: string): Promise<number>;
  remove(container: string, options?: { force?: boolean; volumes?: boolean }): Promise<void>;
  ps(options?: PsOptions): Promise<ContainerSummary[]>;
  inspectContainer(container: string, options?: { size?: boolean }): Promise<ContainerInspect>;
  logs(container: string, options?: LogsOptions): AsyncIterable<LogEntry>;
  diff(container: string): Promise<{ kind: ChangeKind; path: Uint8Array }[]>;
  commit(container: string, options?: CommitOptions): Promise<ImageId>;

  /**
   * Paths of a container, running or not, are resolved inside it, with its volumes and binds and without /dev, /proc and
   * /sys. They start at its root; `/` or `/.` at the end asks for the directory behind a link.
   * @throws TsrunError NOT_FOUND in Docker's words
   */
  statPath(container: string, path: string): Promise<PathStat>;
  /** A file or a tree as a tar, called by its last component in there; "." of a path that ends in `/.`. */
  copyFrom(container: string, path: string): Promise<ContainerArchive>;
  /** Unpacks a tar, perhaps compressed, into a directory of a container, with all that the tar says of owners and modes. */
  copyTo(container: string, path: string, archive: Readable, options?: CopyToOptions): Promise<void>;
  /** `cp CONTAINER:PATH LOCAL` */
  copyOut(container: string, path: string, local: string, options?: CopyOptions): Promise<CopyResult>;
  /** `cp LOCAL CONTAINER:PATH`; owners and modes stay. */
  copyIn(local: string, container: string, path: string, options?: CopyOptions): Promise<CopyResult>;
  /** The root file system as one tar, as `import` takes it: without volumes, and with the stubs that they cover. */
  export(container: string, output: Writable, options?: { signal?: AbortSignal }): Promise<void>;

  readonly volumes: VolumesApi;
  diskUsage(): Promise<DiskUsage>;
  /** Removes what does not run. filters: label, label!, until */
  pruneContainers(options?: { filters?: Record<string, string[]> }): Promise<PruneResult>;
  /**
   * Removes what no container has: images without a name, or with `all` every one; and what pulls that did not end have
   * left. filters: label, label!, until, dangling
   */
  pruneImages(options?: {
    all?: boolean;
    filters?: Record<string, string[]>;
  }): Promise<{ removed: RemovedImage[]; reclaimed: number }>;

  /** After a reboot: starts what the restart policies say. */
  boot(): Promise<BootResult[]>;
  /** One look at what containers use: those named, or all that run. */
  stats(containers?: string[], options?: StatsOptions): Promise<ContainerStats[]>;
  /** What happens, as it happens. */
  events(options?: EventsOptions): AsyncIterable<EngineEvent>;

  info(): Promise<EngineInfo>;
  version(): VersionInfo;
}

export interface VersionInfo {
  version: string;
  apiVersion: string;
  nodeVersion: string;
  os: string;
  arch: string;
  kernelVersion: string;
  gitCommit?: string;
}

export interface EngineInfo {
  containers: number;
  containersRunning: number;
  containersPaused: number;
  containersStopped: number;
  images: number;
  root: string;
  storageDriver: 'overlay2';
  backingFilesystem: string;
  cgroupVersion: '1' | '2' | 'hybrid';
  cgroupControllers: string[];
  kernelVersion: string;
  operatingSystem: string;
  osType: 'linux';
  architecture: string;
  ncpu: number;
  /** bytes */
  memTotal: number;
  name: string;
  serverVersion: string;
  securityOptions: string[];
  /** What this machine lacks, one sentence each. */
  warnings: string[];
}
