/** `save`: one tar that is an OCI layout and a docker archive at once, its layers as they are stored. */
import type { Writable } from 'node:stream';
import { TsrunError } from '../errors.js';
import { familiar, parseReference, repositoryOf } from '../intent/reference.js';
import { blobSize } from '../store/blobs.js';
import { imageEntries, readImage, type StoredImage } from '../store/images.js';
import type { StorePaths } from '../store/paths.js';
import { splitCanonical } from '../store/references.js';
import { StagingDir } from '../store/staging.js';
import { MediaType } from '../types/documents.js';
import { type Digest, hexOf } from '../types/ids.js';
import type { Descriptor } from '../types/oci.js';
import type { ImageContext } from './image-context.js';
import { findEntry, noSuchImage } from './resolve-image.js';

interface Wanted {
  readonly image: StoredImage;
  /** Canonical tags; none for an image that was named by its id. */
  readonly tags: Set<string>;
}

/** @throws TsrunError NOT_FOUND before the first byte is written */
export async function saveImages(
  { store }: ImageContext,
  references: readonly string[],
  output: Writable,
): Promise<void> {
  const { paths } = store;
  const { ArchiveWriter } = await import('../layer/archive-writer.js');
  const work = await StagingDir.create(store);
  try {
    // Leased first and read again: what a removal took meanwhile is missing now, and nothing can go any more.
    await work.lease(blobsOf(gather(paths, references)).map(hexOf));
    const images = gather(paths, references);
    const blobs = blobsOf(images);
    for (const digest of blobs) requireBlob(paths, digest);
    const archive = new ArchiveWriter(output);
    await archive.bytes('oci-layout', json({ imageLayoutVersion: '1.0.0' }));
    await archive.directory('blobs');
    await archive.directory('blobs/sha256');
    for (const digest of blobs)
      await archive.file(blobName(digest), paths.blob(digest), requireBlob(paths, digest));
    await archive.bytes('index.json', json(indexOf(images)));
    await archive.bytes('manifest.json', json(images.map(dockerItem)));
    await archive.end();
  } finally {
    await work.discard();
  }
}

/** Images in the order in which they were named, each once; a repository without a tag means all its tags. */
function gather(paths: StorePaths, references: readonly string[]): Wanted[] {
  const wanted = new Map<Digest, Wanted>();
  for (const text of references) {
    for (const { image, tag } of named(paths, text)) {
      const entry = wanted.get(image.id) ?? { image, tags: new Set<string>() };
      wanted.set(image.id, entry);
      if (tag !== undefined) entry.tags.add(tag);
    }
  }
  return [...wanted.values()];
}

function named(paths: StorePaths, text: string): { image: StoredImage; tag?: string }[] {
  const repository = repositoryIn(text);
  const entries = imageEntries(paths);
  const all = entries.filter(({ reference }) => {
    const split = reference === undefined ? undefined : splitCanonical(reference);
    return split?.tag !== undefined && split.repository === repository;
  });
  if (all.length > 0)
    return all.map((entry) => ({ image: readImage(paths, entry, entries), tag: entry.reference }));
  const found = findEntry(paths, text) ?? missing(text, repository !== undefined);
  const image = readImage(paths, found.entry, found.entries);
  const byTag = found.reference !== undefined && splitCanonical(found.reference).tag !== undefined;
  return [{ image, tag: byTag ? found.reference : undefined }];
}

/** Docker's words for both cases. */
function missing(text: string, isRepository: boolean): never {
  const error = noSuchImage(text);
  const message = isRepository ? `No such image: ${text}` : 'reference does not exist';
  const isId = /^(sha256:)?[0-9a-f]{64}$/.test(text);
  throw isId ? error : new TsrunError('NOT_FOUND', message, { step: 'image.save', subject: text });
}

/** The canonical repository if `text` is a name with neither tag nor digest. */
function repositoryIn(text: string): string | undefined {
  try {
    const reference = parseReference(text);
    return reference.tag === undefined && reference.digest === undefined
      ? repositoryOf(reference)
      : undefined;
  } catch {
    return undefined; // an id
  }
}

function blobsOf(images: readonly Wanted[]): Digest[] {
  const digests = images.flatMap(({ image: { manifest, descriptor, id } }) => [
    ...manifest.layers.map((layer) => layer.digest),
    id,
    descriptor.digest,
  ]);
  return [...new Set(digests)];
}

function requireBlob(paths: StorePaths, digest: Digest): number {
  const size = blobSize(paths, digest);
  if (size !== undefined) return size;
  throw new TsrunError('CONTENT', `blob ${digest} is missing from the store`, {
    step: 'image.save',
    subject: digest,
    hint: 'pull or load the image again',
  });
}

function blobName(digest: Digest): string {
  return `blobs/sha256/${hexOf(digest)}`;
}

function json(value: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(value)}\n`);
}

function indexOf(images: readonly Wanted[]): object {
  return {
    schemaVersion: 2,
    mediaType: MediaType.ociIndex,
    manifests: images.flatMap(({ image, tags }) => {
      const { mediaType, digest, size } = image.descriptor;
      const plain: Descriptor = { mediaType, digest, size };
      if (tags.size === 0) return [plain];
      return [...tags].map((tag) => ({
        ...plain,
        annotations: { 'io.containerd.image.name': tag, 'org.opencontainers.image.ref.name': tag },
      }));
    }),
  };
}

function dockerItem({ image, tags }: Wanted): object {
  return {
    Config: blobName(image.id),
    RepoTags: [...tags].map((tag) => familiar(parseReference(tag))),
    Layers: image.manifest.layers.map(({ digest }) => blobName(digest)),
  };
}
