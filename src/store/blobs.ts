/** oci/blobs/sha256: content under the digest that it was verified against before it got that name. */
import { createHash, type Hash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { errnoOf, TsrunError } from '../errors.js';
import { type Digest, parseDigest } from '../types/ids.js';
import { syncDir, systemError, writeFileAtomic } from './atomic.js';
import type { StorePaths } from './paths.js';

/** Manifests, indexes and configs larger than this are refused, wherever they come from. */
export const MAX_DOCUMENT = 4 * 1024 * 1024;

export function digestOf(bytes: string | Uint8Array): Digest {
  return digestOfHash(createHash('sha256').update(bytes));
}

export function digestOfHash(hash: Hash): Digest {
  return parseDigest(`sha256:${hash.digest('hex')}`);
}

/** Size in bytes, or undefined if there is no such blob. */
export function blobSize(paths: StorePaths, digest: Digest): number | undefined {
  return statSync(paths.blob(digest), { throwIfNoEntry: false })?.size;
}

/** A document, verified again: it is small, and what follows depends on it. */
export function readBlob(paths: StorePaths, digest: Digest): Buffer {
  const path = paths.blob(digest);
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw systemError('store.blob', path, error);
    throw new TsrunError('CONTENT', `blob ${digest} is missing from the store`, {
      step: 'store.blob',
      subject: digest,
      hint: 'pull or load the image again',
      cause: error,
    });
  }
  if (digestOf(bytes) !== digest)
    throw new TsrunError('CONTENT', `blob ${digest} is damaged`, {
      step: 'store.blob',
      subject: digest,
      hint: 'pull or load the image again',
    });
  return bytes;
}

/** Stores a document and returns its digest. */
export async function putBlob(paths: StorePaths, bytes: string | Uint8Array): Promise<Digest> {
  const digest = digestOf(bytes);
  if (blobSize(paths, digest) !== Buffer.byteLength(bytes)) await writeFileAtomic(paths.blob(digest), bytes);
  return digest;
}

/** Moves a file whose bytes were verified against `digest` to its place. The caller no longer owns `file`. */
export async function publishBlob(paths: StorePaths, file: string, digest: Digest): Promise<void> {
  try {
    const handle = await open(file, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(file, paths.blob(digest));
    await syncDir(paths.blobs);
  } catch (error) {
    throw systemError('store.blob', paths.blob(digest), error);
  }
}
