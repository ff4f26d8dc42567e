/** `rmi`, and the clean-up that follows the removal of a container. */
import { basename } from 'node:path';
import { familiar, parseReference } from '../intent/reference.js';
import { type KnownImage, planRemoval } from '../plan/remove-image.js';
import { collectGarbage } from '../store/gc.js';
import { allEntries, isImageEntry, readImage, type StoredImage, unlessDamaged } from '../store/images.js';
import { type ImageEntry, writeIndex } from '../store/index-file.js';
import { chainIds, findLayers } from '../store/layers.js';
import { withStorageLock } from '../store/locks.js';
import type { StorePaths } from '../store/paths.js';
import { type NamedEntry, referencesOf, withoutReferences } from '../store/references.js';
import type { StagingDir } from '../store/staging.js';
import type { RemovedImage } from '../types/engine.js';
import type { ImageId } from '../types/ids.js';
import type { ImageContext } from './image-context.js';
import { recordEvent } from './journal.js';
import { requireEntry } from './resolve-image.js';

export interface RemoveImageOptions {
  force?: boolean;
  /** Keep untagged parents. */
  noPrune?: boolean;
}

/** @throws TsrunError NOT_FOUND or IN_USE */
export async function removeImage(
  context: ImageContext,
  typed: string,
  options: RemoveImageOptions = {},
): Promise<RemovedImage[]> {
  const { store } = context;
  const { paths } = store;
  const [records, trash] = await withStorageLock(paths, store.native, 'exclusive', async () => {
    const named = requireEntry(paths, typed);
    const entries = named.entries;
    const images = knownImages(entries);
    const image = images.find((each) => each.id === named.entry.imageId) as KnownImage;
    const users = await context.users();
    const usedLayers = keysOf(await context.usedLayers());
    const plan = planRemoval({
      typed,
      image,
      reference: named.reference,
      force: options.force ?? false,
      prune: !(options.noPrune ?? false),
      images,
      users,
    });
    const gone = new Set(plan.deleted);
    const layers = deletedLayers(paths, entries, plan.deleted, usedLayers);
    let next: ImageEntry[] = withoutReferences(allEntries(paths), image.id, new Set(plan.untagged));
    next = next.filter((entry) => !isImageEntry(entry) || !gone.has(entry.imageId));
    // References go first: what is cut off here only leaves content that the next collection finds.
    await writeIndex(paths, next);
    const trashed = plan.deleted.length > 0 ? await collectGarbage(store, usedLayers) : [];
    const told = (action: string, id: string) =>
      recordEvent(store, { type: 'image', action, id, attributes: { name: id } });
    for (const _ of plan.untagged) told('untag', image.id);
    for (const id of plan.deleted) told('delete', id);
    const untagged = plan.untagged.map(
      (name): RemovedImage => ({ untagged: familiar(parseReference(name)) }),
    );
    const lines: RemovedImage[] = [...untagged, ...layers];
    return [lines, trashed] as const;
  });
  await discardAll(trash);
  return records;
}

/** Deletes content that lost its last user: after the removal of a container whose image is gone already. */
export async function collectUnused(context: ImageContext): Promise<void> {
  const { store } = context;
  const trash = await withStorageLock(store.paths, store.native, 'exclusive', async () =>
    collectGarbage(store, keysOf(await context.usedLayers())),
  );
  await discardAll(trash);
}

async function discardAll(trash: readonly StagingDir[]): Promise<void> {
  for (const entry of trash) await entry.discard();
}

function keysOf(usedLayers: ReadonlySet<string>): Set<string> {
  return new Set([...usedLayers].map((used) => basename(used)));
}

export function knownImages(entries: readonly NamedEntry[]): KnownImage[] {
  const byId = new Map<ImageId, NamedEntry[]>();
  for (const entry of entries) byId.set(entry.imageId, [...(byId.get(entry.imageId) ?? []), entry]);
  return [...byId].map(([id, own]) => ({
    id,
    ...referencesOf(own),
    parent: own.find((entry) => entry.parent !== undefined)?.parent,
  }));
}

/**
 * The "Deleted:" lines of images that go: each id, then the chain IDs, top first, that no other image and no container
 * needs.
 */
function deletedLayers(
  paths: StorePaths,
  entries: readonly NamedEntry[],
  deleted: readonly ImageId[],
  usedLayers: ReadonlySet<string>,
): RemovedImage[] {
  const needed = new Set<string>();
  const staying = new Map<ImageId, NamedEntry>();
  const leaving = new Map<ImageId, NamedEntry>();
  for (const entry of entries)
    (deleted.includes(entry.imageId) ? leaving : staying).set(entry.imageId, entry);
  for (const entry of staying.values())
    for (const chain of chainIds(readable(paths, entry)?.config.rootfs.diff_ids ?? [])) needed.add(chain);
  const lines: RemovedImage[] = [];
  for (const id of deleted) {
    lines.push({ deleted: id });
    const entry = leaving.get(id);
    const diffIds = (entry && readable(paths, entry)?.config.rootfs.diff_ids) ?? [];
    const layers = findLayers(paths, diffIds);
    const chain = chainIds(diffIds);
    for (let i = chain.length - 1; i >= 0; i -= 1) {
      const chainId = chain[i] as string;
      // A layer that stays keeps all below it.
      if (needed.has(chainId) || usedLayers.has(layers[i]?.key ?? '')) break;
      needed.add(chainId);
      lines.push({ deleted: chainId as ImageId });
    }
  }
  return lines;
}

/** An image that is damaged can still be removed. */
function readable(paths: StorePaths, entry: NamedEntry): StoredImage | undefined {
  return unlessDamaged(() => readImage(paths, entry, [entry]));
}
