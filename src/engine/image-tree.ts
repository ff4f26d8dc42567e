/** `image tree`: the layers of an image, and which images here end with which of them. */
import { readImages } from '../store/images.js';
import { chainIds, findLayers } from '../store/layers.js';
import type { ImageTree } from '../types/engine.js';
import type { ImageContext } from './image-context.js';
import { familiarReferences, imageSize } from './images.js';
import { requireImage } from './resolve-image.js';

/** @see Engine.imageTree */
export function imageTree({ store }: ImageContext, reference: string): ImageTree {
  const { paths } = store;
  const image = requireImage(paths, reference);
  const { diff_ids: diffIds } = image.config.rootfs;
  const chain = chainIds(diffIds);
  const topOf = new Map<string, string[]>();
  for (const other of readImages(paths)) {
    const top = chainIds(other.config.rootfs.diff_ids).at(-1);
    if (top === undefined) continue;
    topOf.set(top, [...(topOf.get(top) ?? []), ...familiarReferences(other).tags]);
  }
  const layers = findLayers(paths, diffIds).map((layer, i) => ({
    diffId: diffIds[i] ?? '',
    size: layer?.record.contentSize ?? image.manifest.layers[i]?.size ?? 0,
    topOf: topOf.get(chain[i] ?? '') ?? [],
  }));
  return { id: image.id, tags: familiarReferences(image).tags, size: imageSize(paths, image), layers };
}
