/** `system df`: what takes space, and how much of it nothing uses. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { listIds, readRecord } from '../store/containers.js';
import { markedBlobs } from '../store/gc.js';
import { readImages } from '../store/images.js';
import { findLayers, listLayers, readLayer } from '../store/layers.js';
import type { StorePaths } from '../store/paths.js';
import { volumeData } from '../store/volumes.js';
import type { DiskUsage, ImageSummary } from '../types/engine.js';
import type { EngineContext } from './context.js';
import { listImages } from './images.js';
import { ps } from './ps.js';
import { treeSize } from './size.js';
import { listAllVolumes, volumeUsers } from './volumes.js';

export async function diskUsage(ctx: EngineContext): Promise<DiskUsage> {
  const { paths } = ctx.store;
  const sizes = layerSizes(paths);
  const layersOf = imageLayers(paths);
  const images = await listImages(ctx, { all: true });
  // Also those of an image that is gone and whose container is not.
  const active = new Set(listIds(ctx.paths).flatMap((id) => readRecord(ctx.paths, id)?.layers ?? []));
  const sum = (keys: Iterable<string>) => [...keys].reduce((total, key) => total + (sizes.get(key) ?? 0), 0);
  const counts = new Map<string, number>();
  for (const key of [...layersOf.values()].flat()) counts.set(key, (counts.get(key) ?? 0) + 1);
  const shared = (image: ImageSummary) =>
    sum((layersOf.get(image.id) ?? []).filter((key) => (counts.get(key) ?? 0) > 1));
  const users = volumeUsers(ctx.paths);
  const layersSize = storedBytes(paths);
  return {
    layersSize,
    layersReclaimable: layersSize - sum(active),
    images: images.map((image) => {
      const sharedSize = shared(image);
      return { ...image, sharedSize, uniqueSize: Math.max(0, image.size - sharedSize) };
    }),
    containers: ps(ctx, { all: true, size: true }),
    volumes: listAllVolumes(ctx).map(({ Name }) => ({
      name: Name,
      links: users.get(Name)?.length ?? 0,
      size: treeSize(volumeData(ctx.paths, Name)),
    })),
  };
}

/** Bytes of all layers, and of what pulls that did not end have left: downloads, whole or in part, of no image. */
export function storedBytes(paths: StorePaths): number {
  const layers = [...layerSizes(paths).values()].reduce((total, size) => total + size, 0);
  const kept = markedBlobs(paths);
  const leftover = filesIn(paths.blobs).filter(({ name }) => !kept.has(name));
  return [...leftover, ...filesIn(paths.ingest)].reduce((total, { size }) => total + size, layers);
}

function filesIn(dir: string): { name: string; size: number }[] {
  return readdirSync(dir).map((name) => ({
    name,
    // It may go at any moment.
    size: statSync(join(dir, name), { throwIfNoEntry: false })?.size ?? 0,
  }));
}

/** bytes of each layer in the store, by its key */
function layerSizes(paths: StorePaths): Map<string, number> {
  return new Map(listLayers(paths).keys.map((key) => [key, readLayer(paths, key)?.record.contentSize ?? 0]));
}

function imageLayers(paths: StorePaths): Map<string, string[]> {
  return new Map(
    readImages(paths).map(({ id, config }) => [
      id,
      findLayers(paths, config.rootfs.diff_ids).flatMap((layer) => layer?.key ?? []),
    ]),
  );
}
