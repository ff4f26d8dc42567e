/** `volume …`: named and anonymous volumes, and who uses them. */
import { join } from 'node:path';
import { TsrunError } from '../errors.js';
import { checkFilters, type Filters, matchesLabels, nameMatches, truthFilter } from '../intent/filters.js';
import { pruneTest } from '../intent/prune-filter.js';
import { parseVolumeOptions } from '../intent/volume-options.js';
import { listIds, readRecord } from '../store/containers.js';
import { withStorageLock } from '../store/locks.js';
import type { StorePaths } from '../store/paths.js';
import { moveToTrash, type StagingDir } from '../store/staging.js';
import {
  anonymousVolumeName,
  ensureVolume,
  listVolumes,
  readVolume,
  type VolumeRecord,
  volumeData,
} from '../store/volumes.js';
import type { PruneResult, VolumeInspect } from '../types/engine.js';
import { timestamp } from './clock.js';
import type { EngineContext } from './context.js';
import { recordEvent } from './journal.js';
import { treeSize } from './size.js';

const DRIVER = 'local';
const LIST_FILTERS = ['dangling', 'driver', 'label', 'name'];
const PRUNE_FILTERS = ['all', 'label', 'label!'];
/** A volume that is being made or goes away right now has no record: it is not there. */
type Volume = VolumeRecord;

export function noSuchVolume(name: string): TsrunError {
  return new TsrunError('NOT_FOUND', `get ${name}: no such volume`, { subject: name });
}

/**
 * Makes a volume; one of that name that is there already is returned as it is.
 * @throws TsrunError USAGE for options that make no sense
 */
export async function createVolume(
  ctx: EngineContext,
  options: { name?: string; labels?: Record<string, string>; options?: Record<string, string> } = {},
): Promise<VolumeInspect> {
  const name = options.name ?? anonymousVolumeName();
  const anonymous = options.name === undefined;
  const { labels, options: driver = {} } = options;
  parseVolumeOptions(name, driver);
  if (await ensureVolume(ctx, { name, anonymous, labels, options: driver, now: timestamp() }))
    recordVolumeEvent(ctx, name, 'create');
  return inspectVolume(ctx, name);
}

export function inspectVolume(ctx: EngineContext, name: string): VolumeInspect {
  return inspectOf(ctx.paths, volumeNamed(ctx.paths, name));
}

/** Sorted by name. */
export function listAllVolumes(ctx: EngineContext, filters: Filters = {}): VolumeInspect[] {
  checkFilters(filters, LIST_FILTERS);
  const dangling = filters.dangling === undefined ? undefined : truthFilter('dangling', filters.dangling);
  const users = dangling === undefined ? undefined : volumeUsers(ctx.paths);
  return volumes(ctx.paths)
    .filter(({ name, labels }) => {
      if (users !== undefined && users.has(name) === dangling) return false;
      if (filters.driver !== undefined && !filters.driver.includes(DRIVER)) return false;
      if (filters.name !== undefined && !filters.name.some((part) => nameMatches(name, part))) return false;
      return matchesLabels(labels, filters.label);
    })
    .map((volume) => inspectOf(ctx.paths, volume));
}

/** @throws TsrunError IN_USE with the containers that have it. With `force` a missing one is no error. */
export async function removeVolumeByName(
  ctx: EngineContext,
  name: string,
  options: { force?: boolean } = {},
): Promise<void> {
  if (options.force === true && volumeIfThere(ctx.paths, name) === undefined) return;
  volumeNamed(ctx.paths, name);
  const trashed = await takeAway(ctx, name);
  if (Array.isArray(trashed))
    throw new TsrunError('IN_USE', `remove ${name}: volume is in use - [${trashed.join(', ')}]`, {
      subject: name,
      hint: 'remove these containers first',
    });
  await finishRemoval(ctx, name, trashed);
}

/** Anonymous volumes of a container that has just gone; those that another one shares stay. */
export async function removeUnusedVolumes(ctx: EngineContext, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const trashed = await takeAway(ctx, name);
    if (!Array.isArray(trashed)) await finishRemoval(ctx, name, trashed);
  }
}

/** Removes what no container has: the anonymous ones, or with `all` the named ones too. */
export async function pruneVolumes(
  ctx: EngineContext,
  options: { all?: boolean; filters?: Filters } = {},
): Promise<PruneResult> {
  const { filters = {} } = options;
  const accepts = pruneTest(filters, new Date(), PRUNE_FILTERS);
  const all = options.all === true || (filters.all !== undefined && truthFilter('all', filters.all));
  const result: PruneResult = { deleted: [], reclaimed: 0 };
  for (const { name, anonymous, labels, createdAt } of volumes(ctx.paths)) {
    if (!(all || anonymous) || !accepts({ labels, created: createdAt })) continue;
    const trashed = await takeAway(ctx, name);
    if (trashed === undefined || Array.isArray(trashed)) continue;
    result.reclaimed += treeSize(join(trashed.dir, '_data'));
    await finishRemoval(ctx, name, trashed);
    result.deleted.push(name);
  }
  return result;
}

/** Ids of the containers that have each volume, also those that do not run. */
export function volumeUsers(paths: StorePaths): Map<string, string[]> {
  const users = new Map<string, string[]>();
  for (const id of listIds(paths).sort())
    for (const { Type, Name } of readRecord(paths, id)?.mounts ?? [])
      if (Type === 'volume' && Name !== undefined) {
        const ids = users.get(Name) ?? [];
        if (!ids.includes(id)) users.set(Name, [...ids, id]);
      }
  return users;
}

/**
 * Moves the volume away unless a container has it; then the result is the list of them. A container's record is published
 * under the shared form of the same lock, so nobody begins to use what goes.
 */
function takeAway(ctx: EngineContext, name: string): Promise<StagingDir | undefined | string[]> {
  return withStorageLock(ctx.paths, ctx.native, 'exclusive', async () => {
    return volumeUsers(ctx.paths).get(name) ?? (await moveToTrash(ctx, ctx.paths.volume(name)));
  });
}

async function finishRemoval(
  ctx: EngineContext,
  name: string,
  trashed: StagingDir | undefined,
): Promise<void> {
  await trashed?.discard();
  if (trashed !== undefined) recordVolumeEvent(ctx, name, 'destroy');
}

function recordVolumeEvent(ctx: EngineContext, name: string, action: string): void {
  recordEvent(ctx, { type: 'volume', action, id: name, attributes: { driver: DRIVER } });
}

function volumes(paths: StorePaths): Volume[] {
  return listVolumes(paths)
    .sort()
    .flatMap((name) => readVolume(paths, name) ?? []);
}

/** What the user typed must not become a path unless it can be a name. */
function volumeIfThere(paths: StorePaths, name: string): Volume | undefined {
  return listVolumes(paths).includes(name) ? readVolume(paths, name) : undefined;
}

function volumeNamed(paths: StorePaths, name: string): Volume {
  const volume = volumeIfThere(paths, name);
  if (volume === undefined) throw noSuchVolume(name);
  return volume;
}

function inspectOf(
  paths: StorePaths,
  { name, createdAt, labels, anonymous, options }: Volume,
): VolumeInspect {
  return {
    CreatedAt: createdAt.replace(/\.\d+/, ''),
    Driver: DRIVER,
    // Docker's mark of a volume that nobody named.
    Labels: anonymous
      ? { 'com.docker.volume.anonymous': '', ...labels }
      : Object.keys(labels).length > 0
        ? labels
        : null,
    Mountpoint: volumeData(paths, name),
    Name: name,
    Options: options ?? null,
    Scope: 'local',
  };
}
