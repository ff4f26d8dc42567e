/** `load`: a docker archive, an OCI layout in a tar or an OCI layout in a directory. All of it or nothing. */
import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { familiar, parseReference } from '../intent/reference.js';
import { spoolArchive } from '../layer/archive-reader.js';
import { blobSize, digestOf, publishBlob } from '../store/blobs.js';
import { chainIds } from '../store/layers.js';
import { StagingDir } from '../store/staging.js';
import type { LoadedImage } from '../types/engine.js';
import { type ChainId, type DiffId, hexOf } from '../types/ids.js';
import type { ImageContext } from './image-context.js';
import { recordEvent } from './journal.js';
import type { PlannedImage } from './load-common.js';
import { archiveContent, directoryContent } from './load-content.js';
import { planLoad } from './load-plan.js';
import { publishImages } from './publish.js';
import { collectUnused } from './rmi.js';
import { unpackLayer } from './unpack.js';

/** @throws TsrunError FORMAT or CONTENT, after which no new blob, layer or name is in the store */
export async function loadImages(
  context: ImageContext,
  input: Readable | { dir: string },
): Promise<LoadedImage[]> {
  const work = await StagingDir.create(context.store);
  let done = false;
  try {
    const content =
      'dir' in input
        ? directoryContent(resolve(input.dir), work.dir)
        : archiveContent(await spoolArchive(input, work.dir));
    const images = await planLoad(content);
    for (const image of images) await storeLayers(context, work, image);
    const named = images.flatMap((image) =>
      (image.references.length === 0 ? [undefined] : image.references).map((reference) => ({
        image,
        reference,
      })),
    );
    const published = await publishImages(
      context.store,
      named.map(({ image, reference }) => ({
        manifest: image.manifestBytes,
        mediaType: image.mediaType,
        config: image.configBytes,
        reference,
      })),
    );
    done = true;
    for (const id of new Set(images.map(({ configBytes }) => digestOf(configBytes))))
      recordEvent(context.store, { type: 'image', action: 'load', id, attributes: { name: id } });
    return named.map(({ image, reference }, i) => {
      const imageId = digestOf(image.configBytes);
      const previous = published[i]?.previous;
      return {
        reference: reference === undefined ? undefined : familiar(parseReference(reference)),
        imageId,
        ...(previous === undefined || previous === imageId ? {} : { previous }),
      };
    });
  } finally {
    await work.discard();
    // Layers that were in place before the failure came are cut off now: nothing leases them any more.
    if (!done) await collectUnused(context);
  }
}

async function storeLayers(context: ImageContext, work: StagingDir, image: PlannedImage): Promise<void> {
  const { paths } = context.store;
  const { diff_ids: diffIds } = image.config.rootfs;
  const chain = chainIds(diffIds);
  const documents = [digestOf(image.manifestBytes), digestOf(image.configBytes)];
  const blobs = image.layers.map(({ digest }) => digest);
  await work.lease([...documents, ...blobs, ...diffIds, ...chain].map(hexOf));
  const below: string[] = [];
  for (const [i, { path, size, digest }] of image.layers.entries()) {
    if (blobSize(paths, digest) !== size) await publishBlob(paths, path, digest);
    const { layer } = await unpackLayer(context, work, {
      input: paths.blob(digest),
      digest,
      diffId: diffIds[i] as DiffId,
      chainId: chain[i] as ChainId,
      lower: below,
    });
    below.unshift(layer.dir);
  }
}
