/** What a user calls an image -> the image: by reference, by repository and digest, by id or a unique prefix of it. */
import { TsrunError } from '../errors.js';
import {
  canonical,
  familiar,
  parseReference,
  type Reference,
  repositoryOf,
  withDefaultTag,
} from '../intent/reference.js';
import { imageEntries, readImage, type StoredImage } from '../store/images.js';
import type { ImageEntry } from '../store/index-file.js';
import { findLayers } from '../store/layers.js';
import type { StorePaths } from '../store/paths.js';
import { type NamedEntry, referencesOf } from '../store/references.js';

export interface FoundEntry {
  readonly entry: NamedEntry;
  /** All image entries, as they were read together. */
  readonly entries: readonly NamedEntry[];
  /** The canonical reference that was named; undefined if `text` was an id. */
  readonly reference?: string;
}

export interface ResolvedImage extends StoredImage {
  /** Absolute directories, topmost first, as overlayfs wants them; the init layer is not among them. */
  readonly layerDirs: string[];
  /** Canonical references of this image. */
  readonly references: string[];
}

/** The entry that `text` names, without reading the image. A reference wins over an id, as in Docker. */
export function findEntry(paths: StorePaths, text: string): FoundEntry | undefined {
  const entries = imageEntries(paths);
  const wanted = tryParse(text);
  const named = wanted && entries.find((entry) => names(entry, wanted));
  if (named !== undefined && wanted !== undefined) {
    const name = canonical(wanted);
    const { tags, digests } = referencesOf([named]);
    // By the manifest's own digest an image of an index is found too, but that is no name that could be removed.
    return { entry: named, entries, reference: [...tags, ...digests].includes(name) ? name : undefined };
  }
  const prefix = /^(?:sha256:)?([0-9a-f]{1,64})$/.exec(text)?.[1];
  if (prefix === undefined) return undefined;
  const hits = entries.filter((entry) => entry.imageId.startsWith(`sha256:${prefix}`));
  const [hit] = hits;
  if (hit === undefined) return undefined;
  if (hits.some((other) => other.imageId !== hit.imageId))
    throw new TsrunError('NOT_FOUND', `No such image: ${text}`, {
      step: 'image.resolve',
      subject: text,
      hint: 'several images have ids that begin so: give more digits',
    });
  return { entry: hit, entries };
}

/** @throws TsrunError NOT_FOUND "No such image: redis:7"; USAGE for what is no reference */
export function requireEntry(paths: StorePaths, text: string): FoundEntry {
  const found = findEntry(paths, text);
  if (found !== undefined) return found;
  throw noSuchImage(text);
}

/** What no image is called; what no image can be called is told as that. */
export function noSuchImage(text: string): TsrunError {
  const isId = text === '' || /^(sha256:)?[0-9a-f]{64}$/.test(text);
  const name = isId ? text : familiar(parseReference(text));
  return new TsrunError('NOT_FOUND', `No such image: ${name}`, { step: 'image.resolve', subject: text });
}

/** undefined if there is no such image. @throws TsrunError CONTENT or FORMAT if it is damaged. */
export function findImage(paths: StorePaths, text: string): StoredImage | undefined {
  const found = findEntry(paths, text);
  return found && readImage(paths, found.entry, found.entries);
}

/** @throws TsrunError NOT_FOUND, CONTENT or FORMAT */
export function requireImage(paths: StorePaths, text: string): StoredImage {
  const { entry, entries } = requireEntry(paths, text);
  return readImage(paths, entry, entries);
}

/** The image with its unpacked layers: what a container is made of. */
export function resolveImage(paths: StorePaths, text: string): ResolvedImage {
  const { entry, entries } = requireEntry(paths, text);
  const image = readImage(paths, entry, entries);
  const layers = findLayers(paths, image.config.rootfs.diff_ids);
  const layerDirs = layers.map((layer, i) => {
    if (layer !== undefined) return layer.dir;
    throw new TsrunError(
      'CONTENT',
      `layer ${image.config.rootfs.diff_ids[i]} of ${text} is not unpacked in the store`,
      {
        step: 'image.resolve',
        subject: text,
        hint: 'pull or load the image again',
      },
    );
  });
  return {
    ...image,
    layerDirs: layerDirs.reverse(),
    references: image.entries.flatMap((each) => each.reference ?? []),
  };
}

function tryParse(text: string): Reference | undefined {
  try {
    return withDefaultTag(parseReference(text));
  } catch {
    return undefined;
  }
}

function names(entry: ImageEntry, wanted: Reference): boolean {
  if (entry.reference === undefined) return false;
  if (wanted.digest === undefined) return entry.reference === canonical(wanted);
  const stored = tryParse(entry.reference);
  if (stored === undefined || repositoryOf(stored) !== repositoryOf(wanted)) return false;
  return [stored.digest, entry.repoDigest, entry.descriptor.digest, entry.original].includes(wanted.digest);
}
