/**
 * Everything that is said between TypeScript and the helper executable `tsrun-runtime`, in one place.
 * C++ side: native/runtime/report.h (records) and native/helper/attach.h (frames).
 *
 * `tsrun-runtime engine VERB …`: what only tsrun itself calls. Without that word the helper is an OCI runtime
 * (docs/oci-runtime.md), some of whose verbs have the same names.
 *   monitor  --dir CONTAINER_DIR --report FD [--attach FD] [--init PATH]
 *                                                                start a container; see Records and Frames. --init: the
 *                                                                host's tsrun-init, for a container that wants one
 *   exec     --dir CONTAINER_DIR --process FD --report FD [--attach FD]
 *                                                                one more process in a running container: ExecSpec as
 *                                                                JSON on the process fd; Records and Frames as of a start,
 *                                                                its `signal`, `exit` and streams being the process's own
 *   probe    --dir CONTAINER_DIR --report FD                     the health check, once, as exec runs it; the monitor's own:
 *                                                                records as of exec, then {"exit": code, "output": text};
 *                                                                SIGTERM kills what it runs
 *   recover  --dir CONTAINER_DIR                                 the monitor is gone: kill the cgroup, run the ledger,
 *                                                                write the exit record (137) if there is none
 *   update   --dir CONTAINER_DIR [--restore yes]                 gives the limits of config.json to the living cgroup, all or
 *                                                                none; --restore: UpdateResult.before of another on fd 0
 *   remove   PATH...                                             fd-relative removal of trees, never across a mount
 *   apply    --target DIR [--base yes | --lower DIR ...]         tar on fd 0 -> DIR (a layer in overlayfs form); --base:
 *                                                                no layer lies below; neither: not known
 *   diff     --upper DIR [--lower DIR]... [--stubs FILE]         "K path" (K = A, C or D) and a NUL each on fd 1
 *   pack     --upper DIR [--lower DIR]... [--stubs FILE] [--clamp-mtime SEC] [--whole yes]
 *            [--volume DIR --at PATH [--part PATH]]...           the layer tar of a writable part on fd 1, with the content
 *                                                                of volumes; --whole: with all that lies below
 *   list     --layer DIR...                                      all that is in layers, on fd 1: native/layer/listing.h
 *   compress [--level 1-12]                                      fd 0 -> gzip on fd 1, the same bytes whatever the machine
 *   copy-stat --dir CONTAINER_DIR [--lock FD] --path PATH        what is at PATH of a container: CopyStat
 *   copy-out (--dir CONTAINER_DIR [--lock FD] [--view files|rootfs] | --root DIR) --path PATH [--name NAME]
 *                                                                a tar of PATH on fd 1, called NAME in it; without NAME
 *                                                                PATH is the root of the archive
 *   copy-in  (--dir CONTAINER_DIR [--lock FD] | --root DIR) --path PATH [--shown PATH] [--base PATH] [--new-base PATH]
 *            [--ownership archive|caller] [--keep-kinds yes] [--compressed yes]
 *                                                                a tar on fd 0 into the directory PATH; entries at or
 *                                                                below base are renamed
 * All of these but exec, monitor and recover print one JSON object, their result or a failure, as the last line on fd 2.
 * copy-out and copy-in print a line {"ready": …} before the first byte of the archive: a CopyStat, or nothing. In a
 * container PATH is absolute and clean; `/` or `/.` at its end asks for the directory behind a link. The lock fd has the
 * container's operation byte, and is held to the end.
 */
import type { FailureRecord } from './launch.js';

/** One line of JSON each on the report fd; the fd is close-on-exec, so `exec` followed by EOF means "running". */
export type ReportRecord =
  | { step: string /** microseconds since the helper started */; t: number }
  | { fail: FailureRecord }
  /** Host pid of PID 1. */
  | { pid: number };

/** Last step before execve. EOF after it = the program runs; EOF after any other = the helper died in that step. */
export const STEP_EXEC = 'exec';

/** The first argument of every call of the helper by tsrun. */
export const ENGINE_VERB = 'engine';

/**
 * Frames on the container's attach socket (`sock` in its directory, or the fd given to `monitor --attach`): 1 byte
 * kind, 3 zero bytes, 4 bytes big-endian length, payload: Docker's stream framing, extended both ways.
 */
export const Frame = {
  /** client -> monitor: bytes for stdin */
  stdin: 0,
  /** monitor -> client */
  stdout: 1,
  stderr: 2,
  /** client -> monitor: end of stdin (empty) */
  stdinEnd: 4,
  /** client -> monitor: u16 rows, u16 columns, big-endian */
  resize: 5,
  /** client -> monitor: u8 signal number, sent to PID 1; answered by `ack` */
  signal: 6,
  /** monitor -> client: u32 exit code, after all output and after the ledger (and removal) is done; then EOF */
  exit: 7,
  /** client -> monitor, first frame of a connection: u8 bit set of {@link Want}. Without it: control only. */
  hello: 8,
  /** monitor -> client: u32 errno of the last request, 0 = done */
  ack: 9,
  /**
   * client -> monitor: freezes the container's cgroup and returns `ack` when it is frozen (phase `paused`). Payload u8: 1 =
   * thaw by itself when this connection ends (commit: its client may be killed), 0 = until `thaw`.
   */
  freeze: 10,
  /** client -> monitor: the reverse; answered by `ack` */
  thaw: 11,
  /**
   * client -> monitor: the user wants it ended, so no restart follows, not even after a reboot for `unless-stopped`
   * (marker file `stopped`, removed by the next start). Payload u8: signal number, sent to PID 1 as by `signal`, thawing it
   * if it is paused and the signal is SIGKILL; 0 = none. A second u8 of 1: the client starts it again, so that --rm does not
   * remove it at this end. While the phase is `restarting` the monitor ends at once. Answered
   * by `ack`; an `exit` frame without an ack means that a run ended just then, and another may follow: ask again while
   * lock byte 0 is held. No restart follows on SIGKILL, SIGTERM, SIGINT, SIGQUIT and the stop signal by `signal` either.
   */
  stop: 12,
  /**
   * client -> monitor: runs the health check now (empty); answered when it has run by `probe`, u32: 0 = healthy, 1 = not; or by
   * `ack` with ENOENT (there is no check), ESRCH (not running) or EBUSY (paused)
   */
  probe: 13,
} as const;

export const Want = { stdout: 1, stderr: 2, stdin: 4 } as const;

/** Frames longer than this are refused on both sides. */
export const MAX_FRAME = 1 << 20;

/** Result lines of the tree verbs (last line on fd 2). */
export interface ApplyResult {
  /** sha256 of the bytes read from fd 0. */
  digest: string;
  /** sha256 of the uncompressed tar. */
  diffId: string;
  /** bytes read from fd 0 */
  size: number;
  /** bytes of the uncompressed tar */
  tarSize: number;
  entries: number;
  /** bytes of regular files: the layer's size as Docker counts it */
  contentSize: number;
  /** The tar has all parents of its entries and no hard link into a lower layer: its directory depends on nothing below. */
  standalone: boolean;
}

export interface PackResult {
  diffId: string;
  tarSize: number;
  entries: number;
  contentSize: number;
  /** Sockets left out, as the image spec has no form for them. */
  skippedSockets: number;
}

export interface CompressResult {
  /** sha256 of what went out on fd 1, and its bytes */
  digest: string;
  size: number;
  /** sha256 of the bytes read from fd 0, and how many */
  diffId: string;
  tarSize: number;
}

export interface DiffResult {
  /** How many were listed. */
  changes: number;
}

export interface ListResult {
  /** How many names were listed. */
  entries: number;
}

/** What a path names; the link itself, if it is one. */
export interface CopyStat {
  /** st_mode, with the type */
  mode: number;
  /** bytes */
  size: number;
  /** seconds since 1970, decimal */
  mtime: string;
  mtimeNanos: number;
  /** Of a link: the absolute path it leads to in the end, there or not. Otherwise empty. */
  target: string;
}

export interface CopyOutResult {
  /** bytes of the archive */
  tarSize: number;
  entries: number;
  skippedSockets: number;
}

export interface CopyInResult {
  /** bytes read from fd 0 */
  size: number;
  entries: number;
}

export interface UpdateResult {
  /** What stood in the control files. */
  before: { controller: string; file: string; value: string }[];
}

export interface RemoveResult {
  /** How many paths are gone, those that were missing included. */
  removed: number;
}

export type HelperResult<T> = { ok: T } | { fail: FailureRecord };
