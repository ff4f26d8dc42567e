/** What a check sees of containers, names, volumes and unfinished work. Reads only; never fails because of what is damaged. */
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { errnoOf } from '../errors.js';
import type { ContainerFacts, VolumeFacts } from '../plan/store-check-facts.js';
import { type ContainerRecord, hasRemains, listIds, probeAlive, readRecord } from '../store/containers.js';
import { unlessDamaged } from '../store/images.js';
import { listNames, ownerOfName } from '../store/names.js';
import type { ContainerPaths, StorePaths } from '../store/paths.js';
import { abandonedEntries } from '../store/staging.js';
import { volumeData } from '../store/volumes.js';
import type { ContainerId } from '../types/ids.js';
import type { EngineContext } from './context.js';

/** @param resisting why the recovery of a container failed, by its id */
export function lookAtContainers(
  ctx: EngineContext,
  resisting: ReadonlyMap<string, string>,
): ContainerFacts[] {
  const { paths } = ctx;
  const ids = listIds(paths);
  const alive = probeAlive(ctx.native, paths, ids);
  return ids.flatMap((id, i) => {
    const facts = lookAtContainer(paths, id, alive[i] === true, resisting.get(id));
    // It may have gone while it was looked at.
    return existsSync(paths.container(id).dir) ? [facts] : [];
  });
}

function lookAtContainer(
  paths: StorePaths,
  id: ContainerId,
  alive: boolean,
  resists: string | undefined,
): ContainerFacts {
  const at = paths.container(id);
  const record: ContainerRecord | undefined = unlessDamaged(() => readRecord(paths, id));
  return {
    id,
    name: record?.name ?? id.slice(0, 12),
    alive,
    torn: [...(record === undefined ? ['container.json'] : []), ...tornFiles(at)],
    missing: [at.lock, at.upper].filter((path) => !existsSync(path)).map((path) => basename(path)),
    layers: record?.layers ?? [],
    image: record?.image.reference,
    unnamed: record !== undefined && ownerOfName(paths, record.name) !== id,
    ...(resists === undefined ? {} : { resists }),
  };
}

function tornFiles(at: ContainerPaths): string[] {
  const needed = [at.config, at.launch].filter((path) => !existsSync(path));
  const torn = [at.config, at.launch, at.state, at.exit, at.health].filter(isTorn);
  return [...needed, ...torn].map((path) => basename(path));
}

/** True of a file that is there and is no JSON. */
function isTorn(path: string): boolean {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
  try {
    JSON.parse(text);
    return false;
  } catch {
    return true;
  }
}

export function lookAtVolumes(paths: StorePaths): VolumeFacts[] {
  return readdirSync(paths.volumes).flatMap((name): VolumeFacts[] => {
    const dir = paths.volume(name);
    if (!lstatSync(dir, { throwIfNoEntry: false })?.isDirectory()) return [];
    const record = join(dir, 'volume.json');
    if (!existsSync(record)) return [{ name, problem: 'no record' }];
    if (isTorn(record)) return [{ name, problem: 'torn record' }];
    return existsSync(volumeData(paths, name)) ? [{ name }] : [{ name, problem: 'no data' }];
  });
}

/** What the next sweep takes away or puts right, one sentence each. */
export function lookAtLeftovers(ctx: EngineContext): string[] {
  const { paths } = ctx;
  const ids = listIds(paths);
  const alive = probeAlive(ctx.native, paths, ids);
  const dead = ids.filter((id, i) => alive[i] !== true && hasRemains(paths.container(id)));
  const there = new Set<string>(ids);
  const names = listNames(paths).filter(({ owner }) => owner === undefined || !there.has(owner));
  return [
    ...abandonedEntries(ctx).map((path) => `unfinished work ${path.slice(paths.root.length + 1)}`),
    ...dead.map((id) => `the last run of container ${id.slice(0, 12)}, whose monitor died`),
    ...names.map(({ name }) => `the name ${name} of no container`),
  ];
}
