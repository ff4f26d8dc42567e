/** An image database that cannot be read: what is left of it is kept, and no image is lost. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { salvageDescriptors } from '../plan/salvage-index.js';
import { MAX_DOCUMENT, readBlob } from '../store/blobs.js';
import { allEntries, unlessDamaged } from '../store/images.js';
import { entryOf, type ImageEntry, writeIndex } from '../store/index-file.js';
import { withStorageLock } from '../store/locks.js';
import type { StorePaths } from '../store/paths.js';
import { quarantine } from '../store/quarantine.js';
import { assertImage, MediaType, parseDocument, parseImageConfig } from '../types/documents.js';
import { type Digest, type ImageId, parseDigest } from '../types/ids.js';
import type { Manifest } from '../types/oci.js';
import type { EngineContext } from './context.js';

export async function rebuildIndex({ paths, native }: EngineContext): Promise<void> {
  await withStorageLock(paths, native, 'exclusive', async () => {
    if (unlessDamaged(() => allEntries(paths)) !== undefined) return; // somebody was faster
    const salvaged = salvagedEntries(paths);
    await quarantine(paths, paths.index);
    const known = new Set(salvaged.map(({ imageId }) => imageId));
    const unnamed = imagesInBlobs(paths).filter(({ imageId }) => !known.has(imageId));
    await writeIndex(paths, [...salvaged, ...unnamed]);
  });
}

function salvagedEntries(paths: StorePaths): ImageEntry[] {
  const values = salvageDescriptors(readFileSync(paths.index, 'utf8'));
  return values.flatMap((value) => unlessDamaged(() => entryOf(value, paths.index)) ?? []);
}

/** Every image whose manifest and config are among the blobs, once. */
function imagesInBlobs(paths: StorePaths): ImageEntry[] {
  const found = new Map<ImageId, ImageEntry>();
  for (const name of readdirSync(paths.blobs).filter((each) => /^[0-9a-f]{64}$/.test(each))) {
    const size = statSync(join(paths.blobs, name)).size;
    if (size > MAX_DOCUMENT) continue;
    const digest = parseDigest(`sha256:${name}`);
    const manifest = manifestIn(paths, digest);
    if (manifest === undefined) continue;
    const mediaType = manifest.mediaType ?? MediaType.ociManifest;
    const imageId = manifest.config.digest;
    // A Docker manifest has an OCI twin, which is what the index names.
    if (found.has(imageId) && mediaType !== MediaType.ociManifest) continue;
    found.set(imageId, { descriptor: { mediaType, digest, size }, imageId });
  }
  return [...found.values()];
}

function manifestIn(paths: StorePaths, digest: Digest): Manifest | undefined {
  return unlessDamaged(() => {
    const bytes = readBlob(paths, digest);
    if (bytes[0] !== 0x7b) return undefined;
    const document = parseDocument(bytes, undefined, digest);
    if (document.kind !== 'manifest') return undefined;
    const { manifest } = document;
    assertImage(manifest, digest);
    parseImageConfig(readBlob(paths, manifest.config.digest), digest);
    return manifest;
  });
}
