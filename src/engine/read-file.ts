/** Files that options name (env files, label files, seccomp profiles), and files that may be gone. */
import { openSync, readFileSync } from 'node:fs';
import { errnoOf, reasonOf, TsrunError } from '../errors.js';

/** @throws TsrunError FLAG "open PATH: no such file or directory" */
export function readOptionFile(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw openError(path, cause);
  }
}

function openError(path: string, cause: unknown): TsrunError {
  return new TsrunError('FLAG', `open ${path}: ${reasonOf(cause)}`, {
    step: 'intent',
    errno: errnoOf(cause),
    subject: path,
    cause,
  });
}

/** For reading; undefined if there is no such file. */
export function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
