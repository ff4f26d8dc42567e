/** oci/index.json: the image database. One descriptor per reference; one without a name for an image that lost them all. */
import { TsrunError } from '../errors.js';
import { isObject, MediaType } from '../types/documents.js';
import { type Digest, type ImageId, isDigest, parseDigest } from '../types/ids.js';
import type { Descriptor } from '../types/oci.js';
import { CHECK_HINT, readJson, writeFileAtomic } from './atomic.js';
import type { StorePaths } from './paths.js';

const REF_NAME = 'org.opencontainers.image.ref.name';
const CONTAINERD_NAME = 'io.containerd.image.name';
const REPO_DIGEST = 'dev.tsrun.repo-digest';
const TAGGED_AT = 'dev.tsrun.tagged-at';
const IMAGE_ID = 'dev.tsrun.image-id';
const ORIGINAL = 'dev.tsrun.original-manifest';
const PARENT = 'dev.tsrun.parent';

export interface ImageEntry {
  /** Of the image's manifest. Its annotations are replaced by the fields below when it is written. */
  readonly descriptor: Descriptor;
  /** Canonical: "docker.io/library/redis:7" or "docker.io/library/redis@sha256:…". */
  readonly reference?: string;
  /** What the registry answered when this tag was pulled: the index's digest, if it was one. */
  readonly repoDigest?: Digest;
  /** RFC 3339 */
  readonly taggedAt?: string;
  /** Digest of the config. Undefined only for entries that another tool wrote. */
  readonly imageId?: ImageId;
  /** The Docker manifest that the descriptor's OCI manifest was made from. */
  readonly original?: Digest;
  /** The local image that this one was committed on. */
  readonly parent?: ImageId;
}

/** May be called without a lock: the file is only ever replaced as a whole. */
export function readIndex(paths: StorePaths): ImageEntry[] {
  const index = readJson(paths.index);
  if (index === undefined) return [];
  if (!isObject(index) || !Array.isArray(index.manifests))
    throw new TsrunError('FORMAT', `damaged image database ${paths.index}`, {
      step: 'store.index',
      subject: paths.index,
      hint: CHECK_HINT,
    });
  return index.manifests.map((value) => entryOf(value, paths.index));
}

/** Call it under the exclusive storage lock, with entries read under the same lock. */
export async function writeIndex(paths: StorePaths, entries: readonly ImageEntry[]): Promise<void> {
  const index = { schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: entries.map(descriptorOf) };
  await writeFileAtomic(paths.index, `${JSON.stringify(index, null, 1)}\n`);
}

/** One descriptor of the database. @throws TsrunError FORMAT, naming `path` */
export function entryOf(value: unknown, path: string): ImageEntry {
  if (
    !isObject(value) ||
    typeof value.mediaType !== 'string' ||
    typeof value.digest !== 'string' ||
    typeof value.size !== 'number'
  )
    throw new TsrunError('FORMAT', `damaged image database ${path}`, {
      step: 'store.index',
      subject: path,
      hint: CHECK_HINT,
    });
  const descriptor: Descriptor = {
    ...value,
    mediaType: value.mediaType,
    digest: parseDigest(value.digest),
    size: value.size,
  };
  const notes = descriptor.annotations ?? {};
  return {
    descriptor,
    reference: notes[REF_NAME],
    repoDigest: digestIn(notes[REPO_DIGEST]),
    taggedAt: notes[TAGGED_AT],
    imageId: digestIn(notes[IMAGE_ID]),
    original: digestIn(notes[ORIGINAL]),
    parent: digestIn(notes[PARENT]),
  };
}

function digestIn(text: string | undefined): Digest | undefined {
  return text !== undefined && isDigest(text) ? text : undefined;
}

function descriptorOf(entry: ImageEntry): Descriptor {
  const annotations: Record<string, string> = { ...entry.descriptor.annotations };
  const set = (key: string, value: string | undefined) => {
    if (value === undefined) delete annotations[key];
    else annotations[key] = value;
  };
  set(REF_NAME, entry.reference);
  set(CONTAINERD_NAME, entry.reference);
  set(REPO_DIGEST, entry.repoDigest);
  set(TAGGED_AT, entry.taggedAt);
  set(IMAGE_ID, entry.imageId);
  set(ORIGINAL, entry.original);
  set(PARENT, entry.parent);
  return { ...entry.descriptor, annotations };
}
