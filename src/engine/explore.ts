/** `image explore`: what each layer of an image brings, changes and removes. */
import { basename } from 'node:path';
import { listLayers } from '../layer/list.js';
import { planExplore } from '../plan/explore.js';
import { StagingDir } from '../store/staging.js';
import type { ImageExploration } from '../types/explore.js';
import type { ImageContext } from './image-context.js';
import { familiarReferences } from './images.js';
import { resolveImage } from './resolve-image.js';

/** @throws TsrunError NOT_FOUND; CONTENT if a layer is not unpacked */
export async function exploreImage(
  { store, helperPath }: ImageContext,
  reference: string,
  { signal }: { signal?: AbortSignal } = {},
): Promise<ImageExploration> {
  const { paths } = store;
  const work = await StagingDir.create(store);
  try {
    // Leased first and read again: no `rmi` takes the layers away while they are read.
    await work.lease(resolveImage(paths, reference).layerDirs.map((dir) => basename(dir)));
    const image = resolveImage(paths, reference);
    const layers = await listLayers({ helperPath, dirs: [...image.layerDirs].reverse(), signal });
    const { id, config, manifest } = image;
    return planExplore({ id, tags: familiarReferences(image).tags, config, manifest, layers });
  } finally {
    await work.discard();
  }
}
