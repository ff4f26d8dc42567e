/** `images`: what is stored, as rows for a table. */
import { TsrunError } from '../errors.js';
import { parseTimestamp } from '../intent/duration.js';
import { checkFilters, matchesLabels, truthFilter } from '../intent/filters.js';
import { familiar, familiarRepository, parseReference } from '../intent/reference.js';
import { readImages, type StoredImage } from '../store/images.js';
import { findLayers } from '../store/layers.js';
import type { StorePaths } from '../store/paths.js';
import { referencesOf } from '../store/references.js';
import type { ImageSummary, ImagesOptions } from '../types/engine.js';
import type { ImageContext } from './image-context.js';
import { requireImage } from './resolve-image.js';

const FILTERS = ['before', 'dangling', 'label', 'reference', 'since', 'until'];

/** Newest first. Untagged images that others were committed on are left out unless `all`. */
export async function listImages(
  context: ImageContext,
  options: ImagesOptions = {},
): Promise<ImageSummary[]> {
  const { paths } = context.store;
  const filters = options.filters ?? {};
  checkFilters(filters, FILTERS);
  const patterns = [
    ...(filters.reference ?? []),
    ...(options.reference === undefined ? [] : [options.reference]),
  ];
  const keep = [...timeFilters(paths, filters), labelFilter(filters), danglingFilter(filters)];
  const stored = readImages(paths);
  const parents = new Set(stored.flatMap((image) => image.entries.flatMap((entry) => entry.parent ?? [])));
  const users = await context.users();
  return stored
    .map((image) => {
      const containers = users.filter((user) => user.imageId === image.id).length;
      return summaryOf(paths, image, containers, patterns);
    })
    .filter((row) => patterns.length === 0 || row.repoTags.length + row.repoDigests.length > 0)
    .filter((row) => options.all || row.repoTags.length + row.repoDigests.length > 0 || !parents.has(row.id))
    .filter((row) => keep.every((test) => test(row)))
    .sort((a, b) => timeOf(b.created) - timeOf(a.created));
}

function summaryOf(
  paths: StorePaths,
  image: StoredImage,
  containers: number,
  patterns: string[],
): ImageSummary {
  const { tags, digests } = familiarReferences(image);
  const shown = (name: string) =>
    patterns.length === 0 || patterns.some((pattern) => matchesReference(pattern, name));
  return {
    id: image.id,
    repoTags: tags.filter(shown),
    repoDigests: digests.filter(shown),
    created: image.config.created ?? '',
    size: imageSize(paths, image),
    labels: image.config.config?.Labels ?? {},
    dangling: tags.length === 0,
    containers,
  };
}

/** References as people write them. */
export function familiarReferences(image: Pick<StoredImage, 'entries'>): {
  tags: string[];
  digests: string[];
} {
  const { tags, digests } = referencesOf(image.entries);
  const written = (name: string) => familiar(parseReference(name));
  return { tags: tags.map(written), digests: digests.map(written) };
}

/** Bytes of all layers' files; of a layer that is not unpacked here, the bytes of its blob. */
export function imageSize(paths: StorePaths, image: StoredImage): number {
  const layers = findLayers(paths, image.config.rootfs.diff_ids);
  return layers.reduce(
    (sum, layer, i) => sum + (layer?.record.contentSize ?? image.manifest.layers[i]?.size ?? 0),
    0,
  );
}

type Test = (row: ImageSummary) => boolean;

function labelFilter(filters: Record<string, string[]>): Test {
  return (row) => matchesLabels(row.labels, filters.label);
}

function danglingFilter(filters: Record<string, string[]>): Test {
  if (filters.dangling === undefined) return () => true;
  const wanted = truthFilter('dangling', filters.dangling);
  return (row) => row.dangling === wanted;
}

function timeFilters(paths: StorePaths, filters: Record<string, string[]>): Test[] {
  const createdOf = (name: string) => timeOf(requireImage(paths, name).config.created ?? '');
  const before = filters.before?.map(createdOf) ?? [];
  const since = filters.since?.map(createdOf) ?? [];
  const now = new Date();
  const until = filters.until?.map((text) => parseTimestamp(text, now).getTime()) ?? [];
  return [
    (row) => before.every((time) => timeOf(row.created) < time),
    (row) => since.every((time) => timeOf(row.created) > time),
    (row) => until.every((time) => timeOf(row.created) < time),
  ];
}

/** Milliseconds; what is no date is the epoch. */
function timeOf(created: string): number {
  return new Date(created).getTime() || 0;
}

/** Shell pattern against the whole familiar reference or the repository alone; `*` stops at a slash. */
export function matchesReference(pattern: string, name: string): boolean {
  const glob = globOf(pattern);
  return glob.test(name) || glob.test(familiarRepository(parseReference(name)));
}

function globOf(pattern: string): RegExp {
  const source = pattern.replace(/\\(.)|\[(\^?[^\]]+)\]|[*?]|[.+^${}()|[\]\\/]/g, (match, escaped, set) => {
    if (escaped !== undefined) return `\\u{${escaped.codePointAt(0).toString(16)}}`;
    if (set !== undefined) return `[${set.replace(/[[\]\\]/g, '\\$&')}]`;
    if (match === '*') return '[^/]*';
    return match === '?' ? '[^/]' : `\\${match}`;
  });
  try {
    return new RegExp(`^${source}$`, 'u');
  } catch (error) {
    throw new TsrunError('USAGE', 'syntax error in pattern', {
      step: 'image.filter',
      subject: pattern,
      cause: error,
    });
  }
}
