/** `untag`: names are taken from an image, which stays. */
import { TsrunError } from '../errors.js';
import { canonical, familiar, parseReference, withDefaultTag } from '../intent/reference.js';
import { allEntries } from '../store/images.js';
import { writeIndex } from '../store/index-file.js';
import { withStorageLock } from '../store/locks.js';
import { referencesOf, splitCanonical, withoutReferences } from '../store/references.js';
import type { ImageContext } from './image-context.js';
import { recordEvent } from './journal.js';
import { requireEntry } from './resolve-image.js';

/** @see Engine.untag */
export async function untagImage(
  { store }: ImageContext,
  text: string,
  names: readonly string[] = [],
): Promise<string[]> {
  const { paths } = store;
  const wanted = names.map((name) => canonical(withDefaultTag(parseReference(name))));
  return await withStorageLock(paths, store.native, 'exclusive', async () => {
    const { entry, entries } = requireEntry(paths, text);
    const { tags, digests } = referencesOf(entries.filter(({ imageId }) => imageId === entry.imageId));
    const unknown = wanted.findIndex((name) => ![...tags, ...digests].includes(name));
    if (unknown >= 0)
      throw new TsrunError('NOT_FOUND', `${names[unknown]}: tag not known`, {
        step: 'image.untag',
        subject: text,
      });
    const removed = wanted.length === 0 ? [...tags, ...digests] : withDigests(wanted, tags, digests);
    await writeIndex(paths, withoutReferences(allEntries(paths), entry.imageId, new Set(removed)));
    for (const _ of removed)
      recordEvent(store, {
        type: 'image',
        action: 'untag',
        id: entry.imageId,
        attributes: { name: entry.imageId },
      });
    return removed.map((name) => familiar(parseReference(name)));
  });
}

/** The name by digest goes with the last tag of its repository, as `rmi` does it. */
export function withDigests(
  removed: readonly string[],
  tags: readonly string[],
  digests: readonly string[],
): string[] {
  const repository = (name: string) => splitCanonical(name).repository;
  const gone = new Set(removed.filter((name) => tags.includes(name)).map(repository));
  for (const tag of tags) if (!removed.includes(tag)) gone.delete(repository(tag));
  return [...new Set([...removed, ...digests.filter((name) => gone.has(repository(name)))])];
}
