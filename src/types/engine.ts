/**
 * The public API: what `createEngine()` returns. The CLI is its first user; nothing it does goes around this interface.
 * Field names of `inspect` results are those of Docker's Engine API, since people script them.
 */
import type { Readable, Writable } from 'node:stream';
import type {
  Attachment,
  ChangeKind,
  ContainerArchive,
  ContainerInspect,
  ContainerStats,
  ContainerSummary,
  ContainerTop,
  CopyOptions,
  CopyResult,
  CopyToOptions,
  Created,
  ExecOptions,
  ExecResult,
  LogEntry,
  LogsOptions,
  PathStat,
  PsOptions,
  StartOptions,
  StatsOptions,
  StopOptions,
} from './containers.js';
import type { ImageExploration } from './explore.js';
import type { ImageId } from './ids.js';
import type {
  CommitOptions,
  HistoryRow,
  ImageInspect,
  ImageSummary,
  ImagesOptions,
  ImageTree,
  ImportOptions,
  LoadedImage,
  LoginOptions,
  LoginResult,
  LogoutResult,
  ManifestInspect,
  PullOptions,
  PullResult,
  PushOptions,
  PushResult,
  RemovedImage,
} from './images.js';
import type { RunOptions, UpdateOptions } from './run-options.js';
import type {
  BootResult,
  CheckOptions,
  DiskUsage,
  EngineEvent,
  EngineInfo,
  EventsOptions,
  PruneResult,
  StoreCheck,
  VersionInfo,
  VolumeInspect,
} from './system.js';

export type * from './containers.js';
export type * from './explore.js';
export type * from './images.js';
export type * from './run-options.js';
export type * from './system.js';

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
  /** {@link pull} of every tag that the repository has; the reference has none. */
  pullAll(repository: string, options?: PullOptions): Promise<PullResult[]>;
  push(reference: string, options?: PushOptions): Promise<PushResult[]>;
  images(options?: ImagesOptions): Promise<ImageSummary[]>;
  inspectImage(reference: string): Promise<ImageInspect>;
  history(reference: string): Promise<HistoryRow[]>;
  /** What each layer brings, changes and removes, file by file, and which bytes no container can see. */
  exploreImage(reference: string, options?: { signal?: AbortSignal }): Promise<ImageExploration>;
  /** Its layers, and which images here stand on which of them. */
  imageTree(reference: string): Promise<ImageTree>;
  /** What a registry has under a name, without pulling it. With `details` also the manifests of an index. */
  inspectManifest(
    reference: string,
    options?: { details?: boolean; signal?: AbortSignal },
  ): Promise<ManifestInspect>;
  tag(source: string, target: string): Promise<void>;
  /** Takes names from an image, all of them if none are given; the image stays. Returns what it is called no more. */
  untag(image: string, names?: string[]): Promise<string[]>;
  removeImage(reference: string, options?: { force?: boolean; noPrune?: boolean }): Promise<RemovedImage[]>;
  /** One tar that is an OCI layout and a docker archive at once. */
  save(references: string[], output: Writable): Promise<void>;
  /** docker archive, OCI layout in a tar (any compression), or a directory that is an OCI layout. */
  load(input: Readable | { dir: string }): Promise<LoadedImage[]>;

  /**
   * An image with one layer, from a tar of a root file system: plain or with any compression, from a stream or of a web server.
   */
  import(source: Readable | { url: string }, options?: ImportOptions): Promise<ImageId>;
  /**
   * Shows credentials to a registry and keeps them as Docker does: in config.json ($DOCKER_CONFIG, ~/.docker), or with the
   * credential helper that it names.
   * @throws TsrunError REGISTRY_DENIED; NOT_FOUND if none were given and none are stored
   */
  login(options: LoginOptions): Promise<LoginResult>;
  /** Forgets them. Where there are none it is a success. */
  logout(registry?: string): Promise<LogoutResult>;

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

  /** Finds damage in the store and, with `repair`, mends it. Works also where other verbs fail on what is damaged. */
  check(options?: CheckOptions): Promise<StoreCheck>;

  /** After a reboot: starts what the restart policies say. */
  boot(): Promise<BootResult[]>;
  /** One look at what containers use: those named, or all that run. */
  stats(containers?: string[], options?: StatsOptions): Promise<ContainerStats[]>;
  /** What happens, as it happens. */
  events(options?: EventsOptions): AsyncIterable<EngineEvent>;

  info(): Promise<EngineInfo>;
  version(): VersionInfo;
}
