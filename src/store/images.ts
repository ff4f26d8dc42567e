/** Images as the store knows them: entries of the index, their manifests and configs. Reading takes no lock. */
import { TsrunError } from '../errors.js';
import { assertImage, isManifestType, parseDocument, parseImageConfig } from '../types/documents.js';
import type { Digest, ImageId } from '../types/ids.js';
import type { ImageConfig, Manifest } from '../types/oci.js';
import { readBlob } from './blobs.js';
import { type ImageEntry, readIndex } from './index-file.js';
import type { StorePaths } from './paths.js';

export interface StoredImage {
  /** Digest of the config. */
  readonly id: ImageId;
  readonly manifest: Manifest;
  readonly manifestDigest: Digest;
  readonly config: ImageConfig;
  /** All entries of this image id, in the order of the index; at least one. */
  readonly entries: readonly ImageEntry[];
}

/** Entries that are images; other descriptors (nested indexes that another tool put there) are left alone. */
export function imageEntries(paths: StorePaths): ImageEntry[] {
  return readIndex(paths).filter((entry) => isManifestType(entry.descriptor.mediaType));
}

export function readManifest(paths: StorePaths, entry: ImageEntry): Manifest {
  const { digest, mediaType } = entry.descriptor;
  const document = parseDocument(readBlob(paths, digest), mediaType, digest);
  if (document.kind !== 'manifest')
    throw new TsrunError('FORMAT', `${digest}: not an image manifest`, {
      step: 'store.image',
      subject: digest,
    });
  return document.manifest;
}

export function imageIdOf(paths: StorePaths, entry: ImageEntry): ImageId {
  return entry.imageId ?? readManifest(paths, entry).config.digest;
}

/** The image behind `entry`, which is one of `all`. */
export function readImage(paths: StorePaths, entry: ImageEntry, all: readonly ImageEntry[]): StoredImage {
  const manifest = readManifest(paths, entry);
  assertImage(manifest, entry.reference ?? entry.descriptor.digest);
  const id = manifest.config.digest;
  const config = parseImageConfig(readBlob(paths, id), id);
  if (config.rootfs.diff_ids.length !== manifest.layers.length)
    throw new TsrunError(
      'FORMAT',
      `${id}: ${manifest.layers.length} layers but ${config.rootfs.diff_ids.length} diff IDs`,
      {
        step: 'store.image',
        subject: id,
      },
    );
  return {
    id,
    manifest,
    manifestDigest: entry.descriptor.digest,
    config,
    entries: all.filter((other) => other === entry || imageIdOf(paths, other) === id),
  };
}

/** Every image once, in the order of the index. */
export function readImages(paths: StorePaths): StoredImage[] {
  const entries = imageEntries(paths);
  const seen = new Set<ImageId>();
  const images: StoredImage[] = [];
  for (const entry of entries) {
    const id = imageIdOf(paths, entry);
    if (seen.has(id)) continue;
    seen.add(id);
    images.push(readImage(paths, entry, entries));
  }
  return images;
}
