/**
 * layers/<key>/ holds one unpacked layer, layers/<key>.json says what it is. The record is written first and the
 * directory renamed into place after its file system was synced, so a directory that exists is complete.
 */
import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, TsrunError } from '../errors.js';
import { isObject } from '../types/documents.js';
import { type ChainId, type DiffId, type Digest, hexOf, parseDigest } from '../types/ids.js';
import { CHECK_HINT, readJson, syncDir, systemError, writeFileAtomic } from './atomic.js';
import type { StorePaths } from './paths.js';
import type { Store } from './staging.js';

export const RECORD_SUFFIX = '.json';
const RECORD_VERSION = 1;

export interface LayerRecord {
  readonly version: typeof RECORD_VERSION;
  readonly diffId: DiffId;
  /** The unpacked form depends on nothing below: it serves every image that has this diff ID. */
  readonly standalone: boolean;
  /** bytes of its regular files */
  readonly contentSize: number;
  /** bytes of the uncompressed tar */
  readonly tarSize: number;
  /** The blob that it was unpacked from. */
  readonly digest: Digest;
}

export interface StoredLayer {
  readonly key: string;
  /** Absolute path of the unpacked directory. */
  readonly dir: string;
  readonly record: LayerRecord;
}

/** Chain IDs of a stack of layers, bottom first. */
export function chainIds(diffIds: readonly DiffId[]): ChainId[] {
  const chain: ChainId[] = [];
  for (const diffId of diffIds) {
    const parent = chain.at(-1);
    const id = parent === undefined ? diffId : `sha256:${sha256(`${parent} ${diffId}`)}`;
    chain.push(parseDigest(id) as string as ChainId);
  }
  return chain;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Where the layer lies, or would lie: its diff ID if it needs nothing below, else its place in the stack. */
export function layerKey(diffId: DiffId, chainId: ChainId, standalone: boolean): string {
  return hexOf(standalone ? diffId : chainId);
}

/** The unpacked layer, or undefined. At the bottom of a stack diff ID and chain ID are the same key. */
export function findLayer(paths: StorePaths, diffId: DiffId, chainId: ChainId): StoredLayer | undefined {
  const shared = readLayer(paths, hexOf(diffId));
  if (shared !== undefined && (shared.record.standalone || hexOf(diffId) === hexOf(chainId))) return shared;
  return hexOf(diffId) === hexOf(chainId) ? undefined : readLayer(paths, hexOf(chainId));
}

/** All layers of a stack, bottom first; undefined where one is not unpacked. */
export function findLayers(paths: StorePaths, diffIds: readonly DiffId[]): (StoredLayer | undefined)[] {
  const chain = chainIds(diffIds);
  return diffIds.map((diffId, i) => findLayer(paths, diffId, chain[i] as ChainId));
}

export function readLayer(paths: StorePaths, key: string): StoredLayer | undefined {
  const dir = paths.layer(key);
  if (!statSync(dir, { throwIfNoEntry: false })?.isDirectory()) return undefined;
  const record = readJson(dir + RECORD_SUFFIX);
  if (record === undefined) return undefined;
  return { key, dir, record: parseRecord(record, dir + RECORD_SUFFIX) };
}

function parseRecord(value: unknown, path: string): LayerRecord {
  if (
    !isObject(value) ||
    value.version !== RECORD_VERSION ||
    typeof value.diffId !== 'string' ||
    typeof value.standalone !== 'boolean' ||
    typeof value.contentSize !== 'number' ||
    typeof value.tarSize !== 'number' ||
    typeof value.digest !== 'string'
  )
    throw new TsrunError('FORMAT', `damaged layer record ${path}`, {
      step: 'store.layer',
      subject: path,
      hint: CHECK_HINT,
    });
  return {
    version: RECORD_VERSION,
    diffId: parseDigest(value.diffId) as string as DiffId,
    standalone: value.standalone,
    contentSize: value.contentSize,
    tarSize: value.tarSize,
    digest: parseDigest(value.digest),
  };
}

/**
 * Publishes an unpacked directory (in staging/, same file system). The caller has leased `key`. If another process was
 * faster its copy is used, and `dir` stays the caller's to discard.
 */
export async function publishLayer(
  store: Store,
  dir: string,
  key: string,
  record: Omit<LayerRecord, 'version'>,
): Promise<StoredLayer> {
  const { paths, native } = store;
  const target = paths.layer(key);
  const full: LayerRecord = { version: RECORD_VERSION, ...record };
  try {
    await native.syncfs(dir);
    await writeFileAtomic(target + RECORD_SUFFIX, `${JSON.stringify(full)}\n`);
    native.renameNoReplace(dir, target);
    await syncDir(paths.layers);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw systemError('store.layer', target, error);
  }
  return { key, dir: target, record: full };
}

/** Keys of all layer directories, and of records that have no directory (an interrupted publication or removal). */
export function listLayers(paths: StorePaths): { keys: string[]; orphanRecords: string[] } {
  const names = readdirSync(paths.layers);
  const hex = /^[0-9a-f]{64}$/;
  const keys = names.filter((name) => hex.test(name));
  const known = new Set(keys);
  const orphanRecords = names
    .filter((name) => name.endsWith(RECORD_SUFFIX) && !known.has(name.slice(0, -RECORD_SUFFIX.length)))
    .map((name) => join(paths.layers, name));
  return { keys, orphanRecords };
}
