/** `history`: the steps that made an image, newest first. */

import { readImages, type StoredImage } from '../store/images.js';
import { findLayers } from '../store/layers.js';
import type { HistoryRow } from '../types/engine.js';
import type { ImageId } from '../types/ids.js';
import type { HistoryEntry } from '../types/oci.js';
import type { ImageContext } from './image-context.js';
import { familiarReferences } from './images.js';
import { requireImage } from './resolve-image.js';

const MISSING = '<missing>';

export function imageHistory({ store }: ImageContext, reference: string): HistoryRow[] {
  const { paths } = store;
  const image = requireImage(paths, reference);
  const layers = findLayers(paths, image.config.rootfs.diff_ids);
  const steps = stepsOf(image);
  let layer = 0;
  const rows = steps.map((step): HistoryRow => {
    const size = step.empty_layer ? 0 : (layers[layer]?.record.contentSize ?? 0);
    if (!step.empty_layer) layer += 1;
    return { ...step, id: MISSING, tags: [], size };
  });
  for (const ancestor of lineOf(image, readImages(paths))) {
    const row = rows[stepsOf(ancestor).length - 1];
    if (row !== undefined) Object.assign(row, { id: ancestor.id, tags: familiarReferences(ancestor).tags });
  }
  return rows.reverse();
}

/** An image without history still has layers. */
function stepsOf({ config }: StoredImage): HistoryEntry[] {
  return config.history ?? config.rootfs.diff_ids.map(() => ({}));
}

/** The image and the local images that it was committed on, nearest first. */
function lineOf(image: StoredImage, all: readonly StoredImage[]): StoredImage[] {
  const line: StoredImage[] = [];
  for (let next: StoredImage | undefined = image; next !== undefined && !line.includes(next); ) {
    line.push(next);
    const parent: ImageId | undefined = parentOf(next);
    next = all.find((each) => each.id === parent);
  }
  return line;
}

export function parentOf(image: Pick<StoredImage, 'entries'>): ImageId | undefined {
  return image.entries.find((entry) => entry.parent !== undefined)?.parent;
}
