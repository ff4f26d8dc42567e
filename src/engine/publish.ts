/** The last step of pull, load and commit: an image whose layers are in the store gets its documents and its name. */

import { putBlob } from '../store/blobs.js';
import { allEntries } from '../store/images.js';
import { type ImageEntry, writeIndex } from '../store/index-file.js';
import { withStorageLock } from '../store/locks.js';
import { hasDigestReference, splitCanonical, withEntry } from '../store/references.js';
import type { Store } from '../store/staging.js';
import type { Digest, ImageId } from '../types/ids.js';

export interface ImageDocuments {
  readonly manifest: Uint8Array;
  readonly mediaType: string;
  readonly config: Uint8Array;
  /** Canonical; undefined = an untagged image. */
  readonly reference?: string;
  /** What the registry answered for that tag. */
  readonly repoDigest?: Digest;
  readonly parent?: ImageId;
}

export interface Published {
  readonly imageId: ImageId;
  /** The image that the reference named before, if it was another or the same one. */
  readonly previous?: ImageId;
}

/** Publishes several images in one step: all of them appear, or none. The caller has leased their content. */
export async function publishImages(store: Store, images: readonly ImageDocuments[]): Promise<Published[]> {
  const { paths } = store;
  return await withStorageLock(paths, store.native, 'exclusive', async () => {
    let entries: ImageEntry[] = allEntries(paths);
    const published: Published[] = [];
    for (const image of images) {
      const imageId = await putBlob(paths, image.config);
      const digest = await putBlob(paths, image.manifest);
      const previous = entries.find(
        (entry) => entry.reference !== undefined && entry.reference === image.reference,
      );
      published.push({ imageId, previous: previous?.imageId });
      if (isKnownByDigest(entries, imageId, image.reference)) continue;
      entries = withEntry(entries, {
        descriptor: { mediaType: image.mediaType, digest, size: image.manifest.byteLength },
        imageId,
        reference: image.reference,
        repoDigest: image.repoDigest,
        taggedAt: previous?.imageId === imageId ? previous.taggedAt : new Date().toISOString(),
        parent: image.parent,
      });
    }
    // References last: until here all that was written is content without a name.
    await writeIndex(paths, entries);
    return published;
  });
}

/** `name@digest` of an image that has that digest through a tag already. */
function isKnownByDigest(
  entries: readonly ImageEntry[],
  imageId: ImageId,
  reference: string | undefined,
): boolean {
  if (reference === undefined) return false;
  const { repository, digest } = splitCanonical(reference);
  return digest !== undefined && hasDigestReference(entries, imageId, repository, digest as Digest);
}
