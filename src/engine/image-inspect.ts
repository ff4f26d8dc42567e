/** `image inspect`: one image under the Engine API's names. */
import { findLayers } from '../store/layers.js';
import type { ImageInspect } from '../types/engine.js';
import { parentOf } from './history.js';
import type { ImageContext } from './image-context.js';
import { familiarReferences, imageSize } from './images.js';
import { requireImage } from './resolve-image.js';

const NEVER = '0001-01-01T00:00:00Z';

/** @throws TsrunError NOT_FOUND */
export function inspectImage({ store }: ImageContext, reference: string): ImageInspect {
  const { paths } = store;
  const image = requireImage(paths, reference);
  const { config } = image;
  const { tags, digests } = familiarReferences(image);
  const [top, ...lower] = findLayers(paths, config.rootfs.diff_ids)
    .flatMap((layer) => layer?.dir ?? [])
    .reverse();
  const data: Record<string, string> = {};
  if (lower.length > 0) data.LowerDir = lower.join(':');
  if (top !== undefined) data.UpperDir = top;
  const tagged = image.entries.flatMap((entry) => entry.taggedAt ?? []).sort();
  return {
    Id: image.id,
    RepoTags: tags,
    RepoDigests: digests,
    Parent: parentOf(image) ?? '',
    Comment: config.history?.at(-1)?.comment ?? '',
    Created: config.created ?? '',
    Author: config.author ?? '',
    Config: config.config ?? {},
    Architecture: config.architecture,
    ...(config.variant === undefined ? {} : { Variant: config.variant }),
    Os: config.os,
    Size: imageSize(paths, image),
    GraphDriver: { Data: data, Name: 'overlay2' },
    RootFS: { Type: 'layers', Layers: config.rootfs.diff_ids },
    Metadata: { LastTagTime: tagged.at(-1) ?? NEVER },
  };
}
