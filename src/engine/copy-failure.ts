/** A failed copy in Docker's words. */
import { type ErrorCode, TsrunError } from '../errors.js';
import type { FailureRecord } from '../native/launch.js';
import { errnoName, errnoWords, startFailure } from './start-failure.js';

export interface CopyFailureContext {
  /** As the user named it. */
  path: string;
  /** As the user named it; without it the path is one of this machine. */
  container?: string;
}

/** Whether the container stopped to run while the helper was on its way into it. */
export function hasEndedMeanwhile(error: unknown): boolean {
  return error instanceof TsrunError && error.step === 'namespaces.join' && error.errno === 'ESRCH';
}

export function copyFailure({ path, container }: CopyFailureContext, failure: FailureRecord): TsrunError {
  const { step, subject, detail = '' } = failure;
  const errno = errnoName(failure.errno);
  const error = (code: ErrorCode, message: string, hint?: string) =>
    new TsrunError(code, message, { step, errno, subject, hint });

  if (step === 'copy.refused') return error('USAGE', detail);
  if (step === 'copy.path') {
    if (errno === 'ENOENT' && container !== undefined)
      return error('NOT_FOUND', `Could not find the file ${path} in container ${container}`);
    return error(errno === 'ENOENT' ? 'NOT_FOUND' : 'SYSTEM', `lstat ${path}: ${errnoWords(failure.errno)}`);
  }
  if (step.startsWith('layer.')) {
    const named = detail.includes(subject) || subject === 'layer' ? detail : `${subject}: ${detail}`;
    const code = step === 'layer.jail' ? 'HOST' : errno === undefined ? 'CONTENT' : 'SYSTEM';
    return error(code, named || `${subject}: ${step}`, hintOf(errno, container));
  }
  if (step === 'namespaces.join' && errno === 'ESRCH')
    return error('NOT_RUNNING', `Container ${container ?? subject} is not running`);
  return startFailure(failure);
}

function hintOf(errno: string | undefined, container: string | undefined): string | undefined {
  if (errno === 'ENOSPC' || errno === 'EDQUOT')
    return container === undefined
      ? 'free space at the destination, then try again'
      : 'free space on the disk that holds the store, or the volume, then try again';
  if (errno === 'EBUSY') return 'something is mounted there: copy to the other end of that mount';
  return undefined;
}
