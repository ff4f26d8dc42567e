/** Pure edits of the image database. The caller reads the entries, edits them and writes them under one exclusive lock. */
import type { Digest, ImageId } from '../types/ids.js';
import type { ImageEntry } from './index-file.js';

export interface SplitReference {
  /** "docker.io/library/redis" */
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: string;
}

/** Takes a canonical reference (which has exactly one of tag and digest) apart. */
export function splitCanonical(reference: string): SplitReference {
  const at = reference.indexOf('@');
  if (at >= 0) return { repository: reference.slice(0, at), digest: reference.slice(at + 1) };
  const colon = reference.lastIndexOf(':');
  if (colon < reference.lastIndexOf('/')) return { repository: reference };
  return { repository: reference.slice(0, colon), tag: reference.slice(colon + 1) };
}

/** Canonical references by tag and by digest of one image, each sorted, without doubles. */
export function referencesOf(entries: readonly ImageEntry[]): { tags: string[]; digests: string[] } {
  const tags = new Set<string>();
  const digests = new Set<string>();
  for (const { reference, repoDigest } of entries) {
    if (reference === undefined) continue;
    const { repository, digest } = splitCanonical(reference);
    if (digest === undefined) tags.add(reference);
    else digests.add(reference);
    if (repoDigest !== undefined) digests.add(`${repository}@${repoDigest}`);
  }
  return { tags: [...tags].sort(), digests: [...digests].sort() };
}

export type NamedEntry = ImageEntry & { readonly imageId: ImageId };

/**
 * Gives `added.reference` to `added`'s image, or, without a reference, makes sure that the image is listed. If the tag
 * pointed elsewhere, that image keeps its digest reference and otherwise becomes dangling.
 */
export function withEntry(entries: readonly ImageEntry[], added: NamedEntry): ImageEntry[] {
  const { reference, imageId } = added;
  if (reference === undefined)
    return entries.some((entry) => entry.imageId === imageId) ? [...entries] : [...entries, added];
  const old = entries.find((entry) => entry.reference === reference);
  let rest = entries.filter((entry) => entry !== old);
  if (old !== undefined && old.imageId !== imageId) rest = keepListed(rest, old);
  // A name ends an image's life as a dangling one.
  rest = rest.filter((entry) => entry.reference !== undefined || entry.imageId !== imageId);
  const parent = added.parent ?? entries.find((entry) => entry.imageId === imageId)?.parent;
  return [...rest, { ...added, parent }];
}

/** Takes references (by tag or by digest) from an image. The image stays listed, as dangling if it has no name left. */
export function withoutReferences(
  entries: readonly ImageEntry[],
  imageId: ImageId,
  removed: ReadonlySet<string>,
): ImageEntry[] {
  let rest = entries.filter((entry) => entry.imageId !== imageId);
  const own = entries.filter((entry) => entry.imageId === imageId);
  const gone: ImageEntry[] = [];
  for (const entry of own) {
    const stripped = stripDigest(entry, removed);
    if (entry.reference !== undefined && removed.has(entry.reference)) gone.push(stripped);
    else rest.push(stripped);
  }
  for (const entry of gone) rest = keepListed(rest, entry);
  return rest;
}

function stripDigest(entry: ImageEntry, removed: ReadonlySet<string>): ImageEntry {
  if (entry.reference === undefined || entry.repoDigest === undefined) return entry;
  const { repository } = splitCanonical(entry.reference);
  return removed.has(`${repository}@${entry.repoDigest}`) ? { ...entry, repoDigest: undefined } : entry;
}

/** `lost` has just lost its tag: what of it must remain in `rest`. */
function keepListed(rest: readonly ImageEntry[], lost: ImageEntry): ImageEntry[] {
  const siblings = rest.filter((entry) => entry.imageId === lost.imageId);
  if (lost.reference !== undefined && lost.repoDigest !== undefined) {
    const { repository } = splitCanonical(lost.reference);
    const name = `${repository}@${lost.repoDigest}`;
    if (referencesOf(siblings).digests.includes(name)) return [...rest];
    return [...rest, { ...lost, reference: name, repoDigest: undefined }];
  }
  if (siblings.length > 0) return [...rest];
  return [...rest, { ...lost, reference: undefined, repoDigest: undefined }];
}

/** True if `entries` already know `repository@digest` as a name of `imageId`. */
export function hasDigestReference(
  entries: readonly ImageEntry[],
  imageId: ImageId,
  repository: string,
  digest: Digest,
): boolean {
  const own = entries.filter((entry) => entry.imageId === imageId);
  return referencesOf(own).digests.includes(`${repository}@${digest}`);
}
