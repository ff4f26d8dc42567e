/** `tag`: one more name for an image. */
import { TsrunError } from '../errors.js';
import { canonical, familiar, parseReference, type Reference, withDefaultTag } from '../intent/reference.js';
import { allEntries } from '../store/images.js';
import { writeIndex } from '../store/index-file.js';
import { withStorageLock } from '../store/locks.js';
import { withEntry } from '../store/references.js';
import type { ImageContext } from './image-context.js';
import { recordEvent } from './journal.js';
import { requireEntry } from './resolve-image.js';

const HEX64 = /^[0-9a-f]{64}$/;

/** @throws TsrunError NOT_FOUND for `source`, USAGE for `target` */
export async function tagImage({ store }: ImageContext, source: string, target: string): Promise<void> {
  const { paths } = store;
  if (!HEX64.test(source)) nameOf(source);
  const wanted = withDefaultTag(nameOf(target));
  if (wanted.digest !== undefined) throw digestRefused(target);
  await withStorageLock(paths, store.native, 'exclusive', async () => {
    const { entry } = requireEntry(paths, source);
    const reference = canonical(wanted);
    if (entry.reference === reference) return;
    const { descriptor, original, imageId, parent } = entry;
    const taggedAt = new Date().toISOString();
    await writeIndex(
      paths,
      withEntry(allEntries(paths), { descriptor, original, imageId, parent, reference, taggedAt }),
    );
    recordEvent(store, { type: 'image', action: 'tag', id: imageId, attributes: { name: familiar(wanted) } });
  });
}

/**
 * The canonical name of an image that is to be made; undefined for one without a name.
 * @throws TsrunError USAGE
 */
export function newReference(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  const parsed = parseReference(text);
  if (parsed.digest !== undefined) throw digestRefused(text);
  return canonical(withDefaultTag(parsed));
}

function digestRefused(subject: string): TsrunError {
  return new TsrunError('USAGE', 'refusing to create a tag with a digest reference', {
    step: 'image.tag',
    subject,
  });
}

function nameOf(text: string): Reference {
  try {
    return parseReference(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TsrunError(
      'USAGE',
      `Error parsing reference: ${JSON.stringify(text)} is not a valid repository/tag: ${reason}`,
      { step: 'image.tag', subject: text, cause },
    );
  }
}
