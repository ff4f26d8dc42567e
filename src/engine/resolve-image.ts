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
import { imageEntries, imageIdOf, readImage, type StoredImage } from '../store/images.js';
import type { ImageEntry } from '../store/index-file.js';
import { findLayers } from '../store/layers.js';
import type { StorePaths } from '../store/paths.js';
import type { Descriptor } from '../types/oci.js';

export interface FoundImage {
  readonly image: StoredImage;
  /** How it was named: the entry of a reference, or undefined when `text` was an id. */
  readonly entry?: ImageEntry;
  readonly reference?: Reference;
}

export interface ResolvedImage extends StoredImage {
  readonly manifestDescriptor: Descriptor;
  /** Absolute directories, topmost first, as overlayfs wants them; the init layer is not among them. */
  readonly layerDirs: string[];
  /** Canonical references of this image. */
  readonly references: string[];
}

/** undefined if there is no such image. A reference wins over an id, as in Docker. */
export function findImage(paths: StorePaths, text: string): FoundImage | undefined {
  const entries = imageEntries(paths);
  const reference = tryParse(text);
  const named = reference && entries.find((entry) => names(entry, reference));
  if (named !== undefined) return { image: readImage(paths, named, entries), entry: named, reference };
  const prefix = /^(?:sha256:)?([0-9a-f]{1,64})$/.exec(text)?.[1];
  if (prefix === undefined) return undefined;
  const hits = new Map<string, ImageEntry>();
  for (const entry of entries) {
    const id = imageIdOf(paths, entry);
    if (id.startsWith(`sha256:${prefix}`) && !hits.has(id)) hits.set(id, entry);
  }
  const [hit] = hits.values();
  if (hit === undefined) return undefined;
  if (hits.size > 1)
    throw new TsrunError('NOT_FOUND', `No such image: ${text}`, {
      step: 'image.resolve',
      subject: text,
      hint: `${hits.size} images have ids that begin so: give more digits`,
    });
  return { image: readImage(paths, hit, entries) };
}

/** @throws TsrunError NOT_FOUND "No such image: redis:7" */
export function requireImage(paths: StorePaths, text: string): FoundImage {
  const found = findImage(paths, text);
  if (found !== undefined) return found;
  const reference = tryParse(text);
  throw new TsrunError('NOT_FOUND', `No such image: ${reference ? familiar(reference) : text}`, {
    step: 'image.resolve',
    subject: text,
  });
}

/** The image with its unpacked layers: what a container is made of. */
export function resolveImage(paths: StorePaths, text: string): ResolvedImage {
  const { image, entry } = requireImage(paths, text);
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
    manifestDescriptor: (entry ?? (image.entries[0] as ImageEntry)).descriptor,
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
  return [stored.digest, entry.repoDigest, entry.descriptor.digest].includes(wanted.digest);
}
