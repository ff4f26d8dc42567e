/** volumes/<name>/_data with volume.json beside it: made in staging/, so that a volume is there whole or not at all. */
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, TsrunError } from '../errors.js';
import { readJson, systemError } from './atomic.js';
import type { StorePaths } from './paths.js';
import { moveToTrash, StagingDir, type Store } from './staging.js';

export interface VolumeRecord {
  name: string;
  /** RFC 3339 */
  createdAt: string;
  labels: Record<string, string>;
  anonymous: boolean;
  /** Of the local driver: type, o, device. [none: a plain directory] */
  options?: Record<string, string>;
}

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

/** 64 hex, as Docker names a volume that nobody named. */
export function anonymousVolumeName(): string {
  return randomBytes(32).toString('hex');
}

export function volumeData(paths: StorePaths, name: string): string {
  return join(paths.volume(name), '_data');
}

/** @throws TsrunError USAGE: a name becomes a path, so nothing else may pass. */
export function checkVolumeName(name: string): void {
  if (NAME.test(name)) return;
  if (name.length === 1)
    throw new TsrunError(
      'USAGE',
      `create ${name}: volume name is too short, names should be at least two alphanumeric characters`,
      { subject: name },
    );
  throw new TsrunError(
    'USAGE',
    `create ${name}: "${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
    { subject: name },
  );
}

export interface NewVolume {
  name: string;
  anonymous: boolean;
  /** RFC 3339 */
  now: string;
  labels?: Record<string, string>;
  /** Of the local driver: type, o, device. */
  options?: Record<string, string>;
}

/** Makes the volume if it is not there; true if this call made it. The options are those that the caller has checked. */
export async function ensureVolume(store: Store, volume: NewVolume): Promise<boolean> {
  const { name, labels = {}, options = {} } = volume;
  checkVolumeName(name);
  const target = store.paths.volume(name);
  if (existsSync(target)) return false;
  const staging = await StagingDir.create(store);
  try {
    const record: VolumeRecord = {
      name,
      createdAt: volume.now,
      labels,
      anonymous: volume.anonymous,
      ...(Object.keys(options).length > 0 ? { options } : {}),
    };
    const data = join(staging.dir, '_data');
    mkdirSync(data);
    chmodSync(data, 0o755);
    writeFileSync(join(staging.dir, 'volume.json'), JSON.stringify(record), { mode: 0o600 });
    store.native.renameNoReplace(staging.dir, target);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw systemError('volume.create', target, error);
  } finally {
    await staging.discard();
  }
}

export function readVolume(paths: StorePaths, name: string): VolumeRecord | undefined {
  return readJson(join(paths.volume(name), 'volume.json')) as VolumeRecord | undefined;
}

/** As it was made with; undefined if there is no such volume. */
export function volumeOptions(paths: StorePaths, name: string): Record<string, string> | undefined {
  const record = readVolume(paths, name);
  return record && (record.options ?? {});
}

export function listVolumes(paths: StorePaths): string[] {
  return readdirSync(paths.volumes);
}

/** Removes a volume with its content; one that is not there is no error. */
export async function removeVolume(store: Store, name: string): Promise<void> {
  checkVolumeName(name);
  const trashed = await moveToTrash(store, store.paths.volume(name));
  await trashed?.discard();
}
