/** Files that options name: env files, label files, seccomp profiles. */
import { readFileSync } from 'node:fs';
import { errnoOf, reasonOf, TsrunError } from '../errors.js';

/** @throws TsrunError USAGE "open PATH: no such file or directory" */
export function readOptionFile(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw openError(path, cause);
  }
}

export function openError(path: string, cause: unknown, prefix = ''): TsrunError {
  return new TsrunError('USAGE', `${prefix}open ${path}: ${reasonOf(cause)}`, {
    step: 'intent',
    errno: errnoOf(cause),
    subject: path,
    cause,
  });
}
