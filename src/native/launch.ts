/**
 * launch.json, version 1: what the OCI runtime spec (config.json beside it) cannot say and the monitor must be able to
 * redo alone at every start. The C++ side of this schema is native/runtime/launch.h; nothing else about a container
 * crosses the border.
 */
import type { ContainerId } from '../types/ids.js';

export const LAUNCH_VERSION = 1;

export interface LaunchSpec {
  version: typeof LAUNCH_VERSION;
  id: ContainerId;
  /** 6 hex of the store: part of every kernel object's name (veth, cgroup, nft element). */
  storeTag: string;
  /** Absolute directories, topmost lower first; `upper` and `work` are on one file system. */
  overlay: { lower: string[]; upper: string; work: string; volatile: boolean };
  /**
   * User as the user typed it, `name|uid[:name|gid]`, looked up inside the root at each start; empty = root.
   * It overrides process.user of config.json. HOME is added to the environment when absent.
   */
  user: string;
  /** Names (looked up in the root's /etc/group) or numbers, appended to the supplementary groups. */
  groupAdd: string[];
  /** Make process.cwd (0755, root) if it is missing. */
  createCwd: boolean;
  /** Volumes that are filled from the image's content at `destination` while they are empty. `source` is absolute. */
  copyUp: { source: string; destination: string }[];
  log: {
    driver: 'json-file' | 'none';
    /** bytes; rotation starts a new file past this. 0 = never rotate. */
    maxSize: number;
    /** files kept, the current one included. */
    maxFile: number;
    /** Rotated files become log.N.gz. */
    compress?: boolean;
    /** A JSON object, written as `attrs` of each line. */
    attributes?: string;
  };
  network: {
    mode: 'bridge' | 'none' | 'host';
    /** Lines for /etc/hosts beyond the standard ones ("10.0.0.1\tname"). */
    extraHosts: string[];
    /** Name that the container's own address gets in /etc/hosts. */
    hostname: string;
  };
  /** Keep a stdin pipe open for attached clients; without it the process reads an immediate end of file. */
  openStdin: boolean;
  /** The first client's end of file ends the process's stdin (run -i); otherwise a later client may go on. */
  stdinOnce: boolean;
  /** Initial size of the terminal, set before exec. */
  consoleSize?: { rows: number; cols: number };
  /** The monitor removes the container directory, its name and `anonymousVolumes` when the process has ended. */
  autoRemove: boolean;
  /** Absolute path of names/<name>, removed with the container. */
  nameFile: string;
  /** Absolute directories of anonymous volumes, removed with --rm. */
  anonymousVolumes: string[];

  // The fields below came later: a reader takes their absence for the value in brackets.

  /** What the monitor does when the process has ended by itself. [no] maxRetries is for on-failure; 0 = without end. */
  restart?: { policy: 'no' | 'on-failure' | 'always' | 'unless-stopped'; maxRetries: number };
  /** The probe, run in the container as an exec with its environment, user and working directory. [none] */
  health?: {
    argv: string[];
    intervalMs: number;
    timeoutMs: number;
    /** Failures in a row that make it unhealthy. */
    retries: number;
    /** Until this long after the start a failure does not count. */
    startPeriodMs: number;
    /** Interval during the start period, until the first success. */
    startIntervalMs: number;
  };
  /** The helper's own init is PID 1, bound read-only at /sbin/docker-init, and runs process.args. [false] */
  init?: boolean;
  /** Signal number that asks the process to end. [15] */
  stopSignal?: number;
  /** Seconds from the stop signal to SIGKILL; -1 = wait for ever. [10] */
  stopTimeout?: number;
  /**
   * Absolute directories of containers whose namespaces are joined, looked up anew at each start: they must run then.
   * config.json lists such a namespace without a path. With `ipc`, /dev/shm is that container's too. [none]
   */
  join?: { pid?: string; ipc?: string; network?: string };
  /** Mounts of config.json of whose source only a part is bound; no symbolic link leads out of it. [none] */
  subpaths?: { destination: string; subpath: string }[];
  /** Absolute path of the store's event journal; see ARCHITECTURE.md. [no events] */
  events?: string;
  /** Actor.Attributes of each event: labels, image, name. [none] */
  eventAttributes?: Record<string, string>;
}

/** What `exec` runs: laid over the container's own documents, so that what is not named is as its first process has it. */
export interface ExecSpec {
  /** 64 hex; events name the process by it. */
  id: string;
  args: string[];
  /** The whole environment; HOME is added by the helper when absent. */
  env: string[];
  tty: boolean;
  /** Without it the process reads an end of file at once. */
  stdin: boolean;
  consoleSize?: { rows: number; cols: number };
  /** absolute [the container's] */
  cwd?: string;
  /** As {@link LaunchSpec.user}. [the container's] */
  user?: string;
  /** In place of the container's: its bounding, effective and permitted set. [the container's] */
  capabilities?: string[];
}

/** `state` in the container's directory, written by the monitor (temp name, rename); believed only while its lock is held. */
export interface StateRecord {
  phase: 'created' | 'running' | 'paused' | 'restarting';
  /** Host pid of PID 1; for display. */
  pid: number;
  /** RFC 3339 with nanoseconds, UTC. */
  startedAt: string;
  /** How often the restart policy has started it again since the user did. [0] */
  restartCount?: number;
  network?: { ip: string; prefixLen: number; gateway: string; mac: string; bridge: string };
}

/** `exit` in the container's directory: how the last run ended. Written by the monitor, or by `tsrun-runtime recover`. */
export interface ExitRecord {
  /** The program's own code, 128 + signal, or 126/127/128 for a start that failed. */
  exitCode: number;
  oomKilled: boolean;
  /** Absent when the process never started. */
  startedAt?: string;
  finishedAt: string;
  /** As in {@link StateRecord}. [0] */
  restartCount?: number;
  /** Why the start failed, or "monitor lost". */
  error?: FailureRecord;
}

/** `health` in the container's directory, written by the monitor (temp name, rename) after each probe; of the last run. */
export interface HealthRecord {
  status: 'starting' | 'healthy' | 'unhealthy';
  failingStreak: number;
  /** The last five, oldest first. exitCode -1: the probe could not run, or took too long. */
  log: { start: string; end: string; exitCode: number /** 4096 bytes at most */; output: string }[];
}

/** A step that failed in the helper. */
export interface FailureRecord {
  step: string;
  /** errno number, 0 if none. */
  errno: number;
  subject: string;
  /** Free text where errno does not say enough. */
  detail?: string;
}
