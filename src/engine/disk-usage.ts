/** `system df`: what takes space, and how much of it nothing uses. */
import { readImages } from '../store/images.js';
import { findLayers } from '../store/layers.js';
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
  const active = new Set(images.filter((i) => i.containers > 0).flatMap((i) => layersOf.get(i.id) ?? []));
  const sum = (keys: Iterable<string>) => [...keys].reduce((total, key) => total + (sizes.get(key) ?? 0), 0);
  const counts = new Map<string, number>();
  for (const key of [...layersOf.values()].flat()) counts.set(key, (counts.get(key) ?? 0) + 1);
  const shared = (image: ImageSummary) =>
    sum((layersOf.get(image.id) ?? []).filter((key) => (counts.get(key) ?? 0) > 1));
  const users = volumeUsers(ctx.paths);
  const layersSize = sum(sizes.keys());
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

/** bytes of each layer that an image has, by its key; shared ones once */
export function layerSizes(paths: StorePaths): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { config } of readImages(paths))
    for (const layer of findLayers(paths, config.rootfs.diff_ids))
      if (layer !== undefined) sizes.set(layer.key, layer.record.contentSize);
  return sizes;
}

function imageLayers(paths: StorePaths): Map<string, string[]> {
  return new Map(
    readImages(paths).map(({ id, config }) => [
      id,
      findLayers(paths, config.rootfs.diff_ids).flatMap((layer) => layer?.key ?? []),
    ]),
  );
}
