/** A failed start in Docker's words. Exit codes follow from the code of the error, never from its text. */
import { getSystemErrorMap } from 'node:util';
import { type ErrorCode, type ErrorDetails, TsrunError } from '../errors.js';
import type { ExitRecord, FailureRecord } from '../native/launch.js';

const PREFIX = 'failed to create task for container: ';
const EXEC_PREFIX = 'OCI runtime exec failed: exec failed: ';

interface Wording {
  code: ErrorCode;
  text: string;
  hint?: string;
  /** What Docker finds before it comes to the runtime, and tells without the words for that. */
  bare?: true;
}

/** @see ErrorDetails for what the error carries. */
export function startFailure(failure: FailureRecord): TsrunError {
  const errno = errnoName(failure.errno);
  const wording = wordingOf(failure, errno);
  const details: ErrorDetails = { step: failure.step, errno, subject: failure.subject, hint: wording.hint };
  return new TsrunError(wording.code, `${wording.bare ? '' : PREFIX}${wording.text}`, details);
}

/** A failed exec in Docker's words. `container` is how the user named it. */
export function execFailure(failure: FailureRecord, container: string): TsrunError {
  const errno = errnoName(failure.errno);
  if (failure.step === 'namespaces.join' && errno === 'ESRCH')
    return new TsrunError('NOT_RUNNING', `Container ${container} is not running`, { subject: container });
  const wording = failure.step === 'process.cwd' ? execCwdWording(failure, errno) : wordingOf(failure, errno);
  const details: ErrorDetails = { step: failure.step, errno, subject: failure.subject, hint: wording.hint };
  const prefix = wording.bare ? '' : EXEC_PREFIX;
  return new TsrunError(wording.code, `${prefix}${wording.text}`, details);
}

/** Exit code of the last run. The record says 128 for every start that failed before exec; Docker knows one case more. */
export function endedCode(exit: ExitRecord | undefined): number {
  return exit?.error !== undefined && isWrongKind(exit.error) ? 127 : (exit?.exitCode ?? 0);
}

/** A directory to be mounted onto a file, or a file onto a directory. */
function isWrongKind({ step, errno }: FailureRecord): boolean {
  return step === 'mounts.mount' && errnoName(errno) === 'ENOTDIR';
}

/** State.Error of inspect. */
export function failureText(failure: FailureRecord): string {
  return failure.step === 'monitor' ? 'the monitor of the container died' : startFailure(failure).message;
}

/** The helper went away in the middle of a step: killed, or a fault of ours. */
export function helperDied(step: string): TsrunError {
  const where = step === '' ? 'before its first step' : `in step ${step}`;
  return new TsrunError('HELPER', `${PREFIX}the helper died ${where}`, {
    step: step === '' ? undefined : step,
    hint: 'look at the kernel log (dmesg): it may have been killed for lack of memory',
  });
}

export function errnoName(errno: number): string | undefined {
  if (errno === 0) return undefined;
  return getSystemErrorMap().get(-errno)?.[0] ?? `errno ${errno}`;
}

/** "no such file or directory" */
export function errnoWords(errno: number): string | undefined {
  return errno === 0 ? undefined : (getSystemErrorMap().get(-errno)?.[1] ?? `errno ${errno}`);
}

function wordingOf(failure: FailureRecord, errno: string | undefined): Wording {
  const room = failure.step.split('.')[0];
  if (failure.step === 'exec') return execWording(failure, errno);
  if (failure.step === 'namespaces.join' && errno === 'ESRCH')
    return { code: 'NOT_RUNNING', text: `container ${failure.subject} is not running`, bare: true };
  if (failure.step === 'mounts.subpath') return subpathWording(failure, errno);
  if (failure.step === 'process.user') return { ...userWording(failure, errno), bare: true };
  if (failure.step === 'process.cwd') return cwdWording(failure, errno);
  if (failure.step.startsWith('mounts.')) return mountWording(failure, errno);
  if (room === 'network') return networkWording(failure, errno);
  return { code: 'HELPER', text: plain(failure), hint: hintOf(errno) };
}

function execWording(failure: FailureRecord, errno: string | undefined): Wording {
  const { subject, detail } = failure;
  const start = `unable to start container process: exec: ${JSON.stringify(subject)}: `;
  if (errno === 'ENOENT' && !subject.includes('/'))
    return { code: 'COMMAND_NOT_FOUND', text: `${start}executable file not found in $PATH: unknown` };
  if (errno === 'ENOENT')
    return {
      code: 'COMMAND_NOT_FOUND',
      text: `${start}stat ${subject}: no such file or directory: unknown`,
      hint: 'a script whose #! interpreter is missing says the same',
    };
  const reason =
    (detail === 'is a directory' ? detail : EXEC_REASONS[errno ?? '']) ??
    [detail, errnoWords(failure.errno)].filter(Boolean).join(': ');
  return { code: 'COMMAND_NOT_EXECUTABLE', text: `${start}${reason}: unknown` };
}

const EXEC_REASONS: Record<string, string> = {
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EISDIR: 'is a directory',
  ENOTDIR: 'not a directory',
  ENOEXEC: 'exec format error',
  ELOOP: 'too many levels of symbolic links',
};

function userWording(failure: FailureRecord, errno: string | undefined): Wording {
  const { subject, detail } = failure;
  // A number that no uid can have: not one that could have stood in a file.
  if (detail !== undefined && /must be in range/.test(detail)) return { code: 'UNKNOWN_USER', text: detail };
  if (detail !== undefined && /group/.test(detail))
    return {
      code: 'UNKNOWN_USER',
      text: `unable to find group ${subject}: no matching entries in group file`,
    };
  if (errno === undefined || errno === 'ENOENT')
    return {
      code: 'UNKNOWN_USER',
      text: `unable to find user ${subject}: no matching entries in passwd file`,
    };
  return { code: 'UNKNOWN_USER', text: plain(failure) };
}

function cwdWording(failure: FailureRecord, errno: string | undefined): Wording {
  if (errno === 'ENOTDIR' || errno === 'EEXIST')
    return { code: 'HELPER', text: `Cannot mkdir: ${failure.subject} is not a directory`, bare: true };
  return { code: 'HELPER', text: plain(failure) };
}

function execCwdWording(failure: FailureRecord, errno: string | undefined): Wording {
  const reason = [failure.detail, errnoWords(failure.errno)].filter(Boolean).join(': ');
  return {
    code: errno === 'ENOENT' ? 'COMMAND_NOT_FOUND' : 'COMMAND_NOT_EXECUTABLE',
    text: `unable to start container process: chdir to cwd (${JSON.stringify(failure.subject)}) set in config.json failed: ${reason}: unknown`,
  };
}

function mountWording(failure: FailureRecord, errno: string | undefined): Wording {
  const { subject, detail } = failure;
  if (!isWrongKind(failure))
    return { code: 'HELPER', text: `error mounting: ${plain(failure)}`, hint: hintOf(errno) };
  const place = detail === undefined || detail === '' ? '' : ` to rootfs at ${JSON.stringify(detail)}`;
  return {
    code: 'HELPER',
    text: `error mounting ${JSON.stringify(subject)}${place}: not a directory: unknown`,
    hint: 'Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type',
  };
}

/** Subject and detail: the volume's directory, and the part of it. */
function subpathWording(failure: FailureRecord, errno: string | undefined): Wording {
  const { subject, detail = '' } = failure;
  if (errno === 'EXDEV')
    return {
      code: 'HELPER',
      text: `path concatenation escapes the base directory, base: ${subject}, subpath: ${detail}`,
      bare: true,
    };
  return {
    code: 'HELPER',
    text: `cannot access path ${subject}/${detail}: ${errnoWords(failure.errno) ?? 'unknown'}`,
    bare: true,
    hint: errno === 'ENOENT' ? 'volume-subpath must be there before the container starts' : undefined,
  };
}

function networkWording(failure: FailureRecord, errno: string | undefined): Wording {
  const text = plain(failure);
  if (errno === 'ENOENT' && /\bnft\b/.test(`${failure.subject} ${failure.detail ?? ''}`))
    return {
      code: 'HOST',
      text: `the bridge network needs the program nft, and it is not installed (${text})`,
      hint: 'install the package nftables, or run with --network none',
    };
  return { code: 'HELPER', text, hint: hintOf(errno) ?? 'try --network none to run without a network' };
}

function plain({ step, subject, detail, errno }: FailureRecord): string {
  return [step, subject, detail, errnoWords(errno)]
    .filter((part) => part !== undefined && part !== '')
    .join(': ');
}

function hintOf(errno: string | undefined): string | undefined {
  if (errno === 'EPERM')
    return 'tsrun needs root with its usual capabilities; inside a container it needs a privileged one';
  if (errno === 'ENOSPC') return 'the disk, or a kernel limit on such objects, is full';
  if (errno === 'ENOSYS') return 'this kernel lacks the call: 5.15 or later is needed';
  return undefined;
}
