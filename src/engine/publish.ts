/** The last step of pull, load and commit: an image whose layers are in the store gets its documents and its name. */

import { putBlob } from '../store/blobs.js';
import { allEntries } from '../store/images.js';
import { type ImageEntry, writeIndex } from '../store/index-file.js';
import { withStorageLock } from '../store/locks.js';
import type { StorePaths } from '../store/paths.js';
import { hasDigestReference, splitCanonical, withEntry } from '../store/references.js';
import type { Store } from '../store/staging.js';
import { MediaType, parseDocument, toOciManifest } from '../types/documents.js';
import type { Digest, ImageId } from '../types/ids.js';
import type { Descriptor } from '../types/oci.js';

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
      const { descriptor, original } = await putManifest(paths, image);
      const previous = entries.find(
        (entry) => entry.reference !== undefined && entry.reference === image.reference,
      );
      published.push({ imageId, previous: previous?.imageId });
      if (isKnownByDigest(entries, imageId, image.reference)) continue;
      entries = withEntry(entries, {
        descriptor,
        original,
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

/**
 * The store is an OCI layout for every tool, and some read no other media types there: a Docker manifest is kept, for its
 * digest, and gets an OCI twin that the index points to.
 */
async function putManifest(
  paths: StorePaths,
  { manifest, mediaType }: ImageDocuments,
): Promise<{ descriptor: Descriptor; original?: Digest }> {
  const digest = await putBlob(paths, manifest);
  if (mediaType !== MediaType.dockerManifest)
    return { descriptor: { mediaType, digest, size: manifest.byteLength } };
  const document = parseDocument(manifest, mediaType, digest);
  if (document.kind !== 'manifest') throw new TypeError('published what is no manifest');
  const twin = Buffer.from(JSON.stringify(toOciManifest(document.manifest)));
  const descriptor = {
    mediaType: MediaType.ociManifest,
    digest: await putBlob(paths, twin),
    size: twin.byteLength,
  };
  return { descriptor, original: digest };
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
