/**
 * The one error type of tsrun, and the only table that maps an error to an exit code.
 *
 * `message` is the cause as Docker words it (scripts grep it) and names the subject; `step` says which step of the
 * engine or of the helper failed; `errno` is the symbolic name ("ENOENT") when a system call failed; `hint` is one
 * sentence that helps.
 */
import { getSystemErrorMap } from 'node:util';

/** code -> exit code of `run` and `exec`; every other verb exits 1 on all errors but FLAG (see {@link exitCodeOf}). */
const RUN_EXIT_CODES = {
  /** The words of a flag that cannot be read. 125 for every verb: the command line is wrong, whatever the state. */
  FLAG: 125,
  /** An argument that was read and does not make sense. */
  USAGE: 125,
  /** No such container, image, volume or network. */
  NOT_FOUND: 125,
  /** A name or id that is taken. */
  CONFLICT: 125,
  /** Something still uses the subject (rm of a running container, rmi of a used image). */
  IN_USE: 125,
  NOT_RUNNING: 125,
  /** The registry refused: unknown repository or missing credentials. */
  REGISTRY_DENIED: 125,
  REGISTRY: 125,
  /** Bytes that do not match their digest, size or declared type. */
  CONTENT: 125,
  /** A malformed document: image config, manifest, archive, state file. */
  FORMAT: 125,
  /** The program named by the user is not in the container. */
  COMMAND_NOT_FOUND: 127,
  /** It is there but cannot be executed (no permission, a directory, wrong format). */
  COMMAND_NOT_EXECUTABLE: 126,
  /** The user or group named does not exist in the container. */
  UNKNOWN_USER: 125,
  /** The machine lacks something: not root, no nft, no overlayfs, a missing cgroup controller. */
  HOST: 125,
  /** A system call of the helper failed while it made the container. */
  HELPER: 125,
  /** A system call of our own failed (disk full, permission). */
  SYSTEM: 125,
  CANCELLED: 130,
} as const;

export type ErrorCode = keyof typeof RUN_EXIT_CODES;

export interface ErrorDetails {
  /** Step of the engine ("image.pull") or of the helper ("mounts.overlay", see native/runtime/steps.h). */
  step?: string;
  /** Symbolic errno, e.g. "ENOENT". */
  errno?: string;
  /** What was operated on: a path, a reference, an id. */
  subject?: string;
  hint?: string;
  cause?: unknown;
}

export class TsrunError extends Error {
  readonly code: ErrorCode;
  readonly step?: string;
  readonly errno?: string;
  readonly subject?: string;
  readonly hint?: string;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'TsrunError';
    this.code = code;
    this.step = details.step;
    this.errno = details.errno;
    this.subject = details.subject;
    this.hint = details.hint;
  }
}

/** Where `exec` differs: it makes nothing, so what is wrong with the container is a plain error. */
const EXEC_EXIT_CODES: Partial<Record<ErrorCode, number>> = {
  NOT_FOUND: 1,
  NOT_RUNNING: 1,
  UNKNOWN_USER: 126,
  HELPER: 126,
};

/** Exit code of a verb that failed with `error`. `runLike` is true for run. */
export function exitCodeOf(error: unknown, runLike: boolean | 'exec'): number {
  if (runLike === false) return error instanceof TsrunError && error.code === 'FLAG' ? 125 : 1;
  if (!(error instanceof TsrunError)) return 125;
  return (runLike === 'exec' ? EXEC_EXIT_CODES[error.code] : undefined) ?? RUN_EXIT_CODES[error.code];
}

/** The symbolic errno of a Node system error, if it is one. */
export function errnoOf(error: unknown): string | undefined {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return undefined;
}

/** What went wrong in words, as the C library would say it: "no such file or directory". */
export function reasonOf(error: unknown): string {
  const number = error instanceof Error && 'errno' in error ? error.errno : undefined;
  const words = typeof number === 'number' ? getSystemErrorMap().get(number)?.[1] : undefined;
  return words ?? errnoOf(error) ?? String(error);
}
