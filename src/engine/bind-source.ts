import { statSync } from 'node:fs';
import { errnoOf, reasonOf, TsrunError } from '../errors.js';
import { makeDirs } from '../store/directories.js';

/**
 * A bind source that is missing becomes a directory of root's, as in Docker. Returns a word about it, since that is more
 * often a slip than a wish.
 */
export function ensureBindSource(source: string): string[] {
  if (statSync(source, { throwIfNoEntry: false }) !== undefined) return [];
  try {
    makeDirs(source, 0o755);
  } catch (cause) {
    throw new TsrunError(
      'SYSTEM',
      `error while creating mount source path '${source}': mkdir ${source}: ${reasonOf(cause)}`,
      { step: 'container.create', errno: errnoOf(cause), subject: source, cause },
    );
  }
  return [`the bind mount source ${source} did not exist: it was created as an empty directory`];
}
