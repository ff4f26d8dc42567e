/** Images as the store knows them: entries of the index, their manifests and configs. Reading takes no lock. */
import { TsrunError } from '../errors.js';
import { assertImage, isManifestType, parseDocument, parseImageConfig } from '../types/documents.js';
import type { ImageId } from '../types/ids.js';
import type { Descriptor, ImageConfig, Manifest } from '../types/oci.js';
import { readBlob } from './blobs.js';
import { type ImageEntry, readIndex } from './index-file.js';
import type { StorePaths } from './paths.js';
import type { NamedEntry } from './references.js';

export interface StoredImage {
  /** Digest of the config. */
  readonly id: ImageId;
  readonly manifest: Manifest;
  /** Of the manifest. */
  readonly descriptor: Descriptor;
  readonly config: ImageConfig;
  /** All entries of this image id, in the order of the index; at least one. */
  readonly entries: readonly NamedEntry[];
}

/** All descriptors of the index, to be edited and written back. Those of images carry their id, also if another tool wrote them. */
export function allEntries(paths: StorePaths): ImageEntry[] {
  return readIndex(paths).map((entry) => {
    if (entry.imageId !== undefined || !isManifestType(entry.descriptor.mediaType)) return entry;
    const imageId = unlessDamaged(() => readManifest(paths, entry).config.digest);
    return imageId === undefined ? entry : { ...entry, imageId };
  });
}

/** Entries that are images; other descriptors (nested indexes, artifacts that another tool put there) are left alone. */
export function imageEntries(paths: StorePaths): NamedEntry[] {
  return allEntries(paths).filter(isImageEntry);
}

export function isImageEntry(entry: ImageEntry): entry is NamedEntry {
  return entry.imageId !== undefined && isManifestType(entry.descriptor.mediaType);
}

function readManifest(paths: StorePaths, entry: ImageEntry): Manifest {
  const { digest, mediaType } = entry.descriptor;
  const document = parseDocument(readBlob(paths, digest), mediaType, digest);
  if (document.kind !== 'manifest')
    throw new TsrunError('FORMAT', `${digest}: not an image manifest`, {
      step: 'store.image',
      subject: digest,
    });
  return document.manifest;
}

/** undefined for what is damaged or missing. An I/O error still throws: it says nothing about the content. */
export function unlessDamaged<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof TsrunError && (error.code === 'CONTENT' || error.code === 'FORMAT'))
      return undefined;
    throw error;
  }
}

/** The image behind `entry`, which is one of `all`. */
export function readImage(paths: StorePaths, entry: NamedEntry, all: readonly NamedEntry[]): StoredImage {
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
    descriptor: entry.descriptor,
    config,
    entries: all.filter((other) => other.imageId === entry.imageId),
  };
}

/** Every image once, in the order of the index; damaged ones are left out. */
export function readImages(paths: StorePaths): StoredImage[] {
  const entries = imageEntries(paths);
  const seen = new Set<ImageId>();
  const images: StoredImage[] = [];
  for (const entry of entries) {
    if (seen.has(entry.imageId)) continue;
    seen.add(entry.imageId);
    const image = unlessDamaged(() => readImage(paths, entry, entries));
    if (image !== undefined) images.push(image);
  }
  return images;
}
