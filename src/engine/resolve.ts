/** Which container a text means: its full id, its exact name, or a prefix of its id that only it has. */
import { TsrunError } from '../errors.js';
import { type ContainerRecord, listIds, readRecord } from '../store/containers.js';
import { ownerOfName } from '../store/names.js';
import type { StorePaths } from '../store/paths.js';
import { type ContainerId, parseContainerId } from '../types/ids.js';

const FULL = /^[0-9a-f]{64}$/;
const PREFIX = /^[0-9a-f]{1,63}$/;

export function noSuchContainer(text: string): TsrunError {
  return new TsrunError('NOT_FOUND', `No such container: ${text}`, { subject: text });
}

/** @throws TsrunError NOT_FOUND, in Docker's words, also when the prefix is that of several. */
export function resolveContainer(paths: StorePaths, text: string): ContainerRecord {
  const record = byFullId(paths, text) ?? byName(paths, text) ?? byPrefix(paths, text);
  if (record === undefined) throw noSuchContainer(text);
  return record;
}

function byFullId(paths: StorePaths, text: string): ContainerRecord | undefined {
  return FULL.test(text) ? readRecord(paths, parseContainerId(text)) : undefined;
}

function byName(paths: StorePaths, text: string): ContainerRecord | undefined {
  const owner = ownerOfName(paths, text.startsWith('/') ? text.slice(1) : text);
  return owner === undefined ? undefined : readRecord(paths, owner);
}

function byPrefix(paths: StorePaths, text: string): ContainerRecord | undefined {
  if (!PREFIX.test(text)) return undefined;
  const matches: ContainerId[] = listIds(paths).filter((id) => id.startsWith(text));
  if (matches.length > 1)
    throw new TsrunError('NOT_FOUND', `Multiple IDs found with provided prefix: ${text}`, { subject: text });
  const [id] = matches;
  return id === undefined ? undefined : readRecord(paths, id);
}
