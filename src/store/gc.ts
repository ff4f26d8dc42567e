/** What nothing refers to any more is found by walking from the references, never by counting. */
import { readdirSync, unlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isIndexType, parseDocument } from '../types/documents.js';
import { type Digest, hexOf } from '../types/ids.js';
import { isTemp, syncDir } from './atomic.js';
import { readBlob } from './blobs.js';
import { imageEntries, readImage, unlessDamaged } from './images.js';
import { readIndex } from './index-file.js';
import { findLayers, listLayers, RECORD_SUFFIX } from './layers.js';
import type { StorePaths } from './paths.js';
import { leasedNames, moveToTrash, type StagingDir, type Store, sweepIngest } from './staging.js';

const MAX_NESTING = 4;

/**
 * Removes blobs, parts of blobs and layers that no image, container or work in progress uses. Call it under the exclusive storage lock;
 * discard the returned trash after the lock is released, since deleting trees takes long.
 *
 * @param usedLayers keys or directories of layers that containers are stacked on
 */
export async function collectGarbage(store: Store, usedLayers: ReadonlySet<string>): Promise<StagingDir[]> {
  const { paths } = store;
  const leased = leasedNames(store);
  const blobs = markedBlobs(paths);
  const layers = markedLayers(paths);
  for (const used of usedLayers) layers.add(basename(used));
  const trash = await sweepLayers(store, (key) => layers.has(key) || leased.has(key));
  await sweepIngest(store, Number.POSITIVE_INFINITY);
  await sweepBlobs(paths, (hex) => blobs.has(hex) || leased.has(hex));
  return trash;
}

async function sweepLayers(store: Store, keep: (key: string) => boolean): Promise<StagingDir[]> {
  const { paths } = store;
  const { keys, orphanRecords } = listLayers(paths);
  const trash: StagingDir[] = [];
  let changed = false;
  for (const key of keys.filter((each) => !keep(each))) {
    // The directory first: a record without one means nothing, a directory without its record would be trusted.
    const entry = await moveToTrash(store, paths.layer(key));
    if (entry !== undefined) trash.push(entry);
    unlinkSync(paths.layer(key) + RECORD_SUFFIX);
    changed = true;
  }
  for (const record of orphanRecords) {
    if (keep(basename(record, RECORD_SUFFIX))) continue;
    unlinkSync(record);
    changed = true;
  }
  // Temporary files here are written under the storage lock, so while we hold it exclusively they belong to the dead.
  for (const name of readdirSync(paths.layers).filter(isTemp)) unlinkSync(join(paths.layers, name));
  if (changed) await syncDir(paths.layers);
  return trash;
}

async function sweepBlobs(paths: StorePaths, keep: (hex: string) => boolean): Promise<void> {
  const unwanted = readdirSync(paths.blobs).filter((name) => isTemp(name) || !keep(name));
  for (const name of unwanted) unlinkSync(join(paths.blobs, name));
  if (unwanted.length > 0) await syncDir(paths.blobs);
}

/** Hex names of the blobs that references lead to. */
export function markedBlobs(paths: StorePaths): Set<string> {
  const marked = new Set<string>();
  for (const { descriptor, original } of readIndex(paths)) {
    if (original !== undefined) marked.add(hexOf(original));
    markDocument(paths, descriptor.digest, descriptor.mediaType, marked, 0);
  }
  return marked;
}

function markDocument(
  paths: StorePaths,
  digest: Digest,
  mediaType: string,
  marked: Set<string>,
  depth: number,
): void {
  if (marked.has(hexOf(digest))) return;
  marked.add(hexOf(digest));
  if (depth > MAX_NESTING) return;
  const document = unlessDamaged(() => parseDocument(readBlob(paths, digest), mediaType, digest));
  if (document === undefined) return;
  if (document.kind === 'index') {
    for (const child of document.index.manifests) {
      if (isIndexType(child.mediaType) || child.mediaType.includes('manifest'))
        markDocument(paths, child.digest, child.mediaType, marked, depth + 1);
      else marked.add(hexOf(child.digest));
    }
    return;
  }
  marked.add(hexOf(document.manifest.config.digest));
  for (const layer of document.manifest.layers) marked.add(hexOf(layer.digest));
}

function markedLayers(paths: StorePaths): Set<string> {
  const marked = new Set<string>();
  const entries = imageEntries(paths);
  for (const entry of entries) {
    // A damaged image cannot keep anything alive, and must not keep `rmi` from working.
    const image = unlessDamaged(() => readImage(paths, entry, entries));
    if (image === undefined) continue;
    for (const layer of findLayers(paths, image.config.rootfs.diff_ids))
      if (layer !== undefined) marked.add(layer.key);
  }
  return marked;
}
