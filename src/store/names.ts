/**
 * Container names: names/<name> is a hard link to the container's record, so a name exists only with a complete record,
 * and link(2) itself is the check that it is free.
 */
import { linkSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { errnoOf, TsrunError } from '../errors.js';
import { type ContainerId, parseContainerId } from '../types/ids.js';
import type { StorePaths } from './paths.js';

/** What a name that becomes a path may look like; src/intent/name.ts checks what users type. */
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

/** Docker's words for a name that is taken. */
export function nameConflict(name: string, owner: string): TsrunError {
  return new TsrunError(
    'CONFLICT',
    `Conflict. The container name "/${name}" is already in use by container "${owner}". ` +
      'You have to remove (or rename) that container to be able to reuse that name.',
    { subject: name },
  );
}

/** Id of the container that has this name, or undefined. Says nothing about whether the container still exists. */
export function ownerOfName(paths: StorePaths, name: string): ContainerId | undefined {
  if (!NAME.test(name)) return undefined;
  try {
    const record: unknown = JSON.parse(readFileSync(paths.name(name), 'utf8'));
    if (typeof record === 'object' && record !== null && 'id' in record && typeof record.id === 'string')
      return parseContainerId(record.id);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno !== undefined && errno !== 'ENOENT') throw error;
  }
  return undefined;
}

/** Links the record at `recordPath` under `name`; false if the name is taken. */
export function claimName(paths: StorePaths, name: string, recordPath: string): boolean {
  try {
    linkSync(recordPath, paths.name(name));
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
}

export function releaseName(paths: StorePaths, name: string): void {
  rmSync(paths.name(name), { force: true });
}

/** Every name with its owner; undefined for a record that cannot be read. */
export function listNames(paths: StorePaths): { name: string; owner: ContainerId | undefined }[] {
  return readdirSync(paths.names).map((name) => ({ name, owner: ownerOfName(paths, name) }));
}
