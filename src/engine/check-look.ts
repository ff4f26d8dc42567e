/** What a check sees of images, blobs and layers. Reads only; never fails because of what is damaged. */
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf, TsrunError } from '../errors.js';
import { familiar, parseReference } from '../intent/reference.js';
import type { BlobFacts, ImageFacts, ImageLayerFacts, LayerFacts } from '../plan/store-check-facts.js';
import { MAX_DOCUMENT, readBlob } from '../store/blobs.js';
import { unlessDamaged } from '../store/images.js';
import { type ImageEntry, readIndex } from '../store/index-file.js';
import { chainIds, findLayer, listLayers, readLayer } from '../store/layers.js';
import type { StorePaths } from '../store/paths.js';
import { assertImage, isIndexType, parseDocument, parseImageConfig } from '../types/documents.js';
import { type ChainId, type Digest, hexOf, parseDigest } from '../types/ids.js';
import type { ImageConfig, Manifest } from '../types/oci.js';
import { treeSize } from './size.js';

const HEX = /^[0-9a-f]{64}$/;

/** undefined if the image database cannot be read. */
export function lookAtIndex(paths: StorePaths): ImageEntry[] | undefined {
  return unlessDamaged(() => readIndex(paths));
}

/** One for each manifest that the index names. What another tool put there and is no image is only a blob. */
export function lookAtImages(paths: StorePaths, entries: readonly ImageEntry[]): ImageFacts[] {
  const byManifest = new Map<Digest, ImageEntry[]>();
  for (const entry of entries) {
    if (isIndexType(entry.descriptor.mediaType)) continue;
    const { digest } = entry.descriptor;
    byManifest.set(digest, [...(byManifest.get(digest) ?? []), entry]);
  }
  return [...byManifest].flatMap(([digest, own]) => lookAtImage(paths, digest, own) ?? []);
}

function lookAtImage(paths: StorePaths, digest: Digest, own: readonly ImageEntry[]): ImageFacts | undefined {
  const names = own.flatMap(({ reference }) => (reference === undefined ? [] : familiarOf(reference)));
  const [entry] = own as [ImageEntry];
  const facts = {
    manifest: digest,
    names: names.length > 0 ? names : [hexOf(entry.imageId ?? digest).slice(0, 12)],
  };
  const manifest = attempt(() => readManifest(paths, entry));
  if ('problem' in manifest)
    return { ...facts, unreadable: [{ digest, problem: manifest.problem }], layers: [] };
  // An artifact of another tool's: no image, so nothing of it is unpacked.
  if (entry.imageId === undefined && 'problem' in attempt(() => assertImage(manifest.value, digest)))
    return undefined;
  const id = manifest.value.config.digest;
  const config = attempt(() => readConfig(paths, id, manifest.value));
  if ('problem' in config)
    return { ...facts, unreadable: [{ digest: id, problem: config.problem }], layers: [] };
  return { ...facts, unreadable: [], layers: layersOf(paths, manifest.value, config.value) };
}

function readManifest(paths: StorePaths, { descriptor: { digest, mediaType } }: ImageEntry): Manifest {
  const document = parseDocument(readBlob(paths, digest), mediaType, digest);
  if (document.kind === 'manifest') return document.manifest;
  throw new TsrunError('FORMAT', 'is no image manifest', { subject: digest });
}

function readConfig(paths: StorePaths, id: Digest, { layers }: Manifest): ImageConfig {
  const config = parseImageConfig(readBlob(paths, id), id);
  if (config.rootfs.diff_ids.length === layers.length) return config;
  throw new TsrunError('FORMAT', 'has another number of layers than its manifest', { subject: id });
}

function layersOf(paths: StorePaths, manifest: Manifest, config: ImageConfig): ImageLayerFacts[] {
  const diffIds = config.rootfs.diff_ids;
  const chain = chainIds(diffIds);
  return diffIds.flatMap((diffId, i) => {
    const [blob, chainId] = [manifest.layers[i], chain[i] as ChainId];
    if (blob === undefined) return [];
    const { digest, size } = blob;
    const key = unlessDamaged(() => findLayer(paths, diffId, chainId))?.key;
    return [{ digest, size, diffId, chainId, ...(key === undefined ? {} : { key }) }];
  });
}

function attempt<T>(read: () => T): { value: T } | { problem: string } {
  try {
    return { value: read() };
  } catch (error) {
    if (!(error instanceof TsrunError) || (error.code !== 'CONTENT' && error.code !== 'FORMAT')) throw error;
    // The digest stands before it.
    return { problem: error.message.replace(/^(blob )?sha256:[0-9a-f]{64}:? /, '') };
  }
}

function familiarOf(reference: string): string {
  try {
    return familiar(parseReference(reference));
  } catch {
    return reference; // another tool's
  }
}

/** Sizes of all blobs; whether the bytes are right, of those that `read` (hex) names. */
export async function lookAtBlobs(
  paths: StorePaths,
  isDamaged: (hex: string, path: string, size: number) => Promise<boolean>,
): Promise<Map<string, BlobFacts>> {
  const blobs = new Map<string, BlobFacts>();
  for (const hex of readdirSync(paths.blobs).filter((name) => HEX.test(name))) {
    const path = join(paths.blobs, hex);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined) continue;
    const damaged = !stat.isFile() || (await isDamaged(hex, path, stat.size));
    blobs.set(hex, { size: stat.size, damaged });
  }
  return blobs;
}

/** Without `full` documents alone are read: the blobs that are small, and whose first byte says JSON, are few. */
export function documentDigests(images: readonly ImageFacts[], entries: readonly ImageEntry[]): Set<string> {
  const digests = [
    ...images.flatMap(({ manifest, unreadable }) => [manifest, ...unreadable.map(({ digest }) => digest)]),
    ...entries.flatMap(({ descriptor, imageId, original }) => [descriptor.digest, imageId, original]),
  ];
  return new Set(digests.flatMap((digest) => (digest === undefined ? [] : hexOf(digest))));
}

export function isDamagedDocument(paths: StorePaths, hex: string, size: number): boolean {
  if (size > MAX_DOCUMENT) return true;
  return unlessDamaged(() => readBlob(paths, parseDigest(`sha256:${hex}`))) === undefined;
}

/** What the names, the records and the sizes tell of the unpacked layers. */
export function lookAtLayers(paths: StorePaths): LayerFacts[] {
  return listLayers(paths).keys.map((key) => {
    try {
      return lookAtLayer(paths, key);
    } catch (error) {
      if (error instanceof TsrunError && error.code === 'FORMAT')
        return { key, problem: 'its record cannot be read' };
      return { key, problem: `cannot be looked at: ${reasonOf(error)}`, unproved: true };
    }
  });
}

function lookAtLayer(paths: StorePaths, key: string): LayerFacts {
  const dir = paths.layer(key);
  if (!lstatSync(dir).isDirectory()) return { key, problem: 'is no directory' };
  const layer = readLayer(paths, key);
  if (layer === undefined) return { key, problem: 'has no record' };
  const { record } = layer;
  const facts = { key, record: { digest: record.digest, diffId: record.diffId } };
  if (record.standalone && hexOf(record.diffId) !== key)
    return { ...facts, problem: `its record is that of layer ${hexOf(record.diffId).slice(0, 12)}` };
  const size = treeSize(dir);
  if (size === record.contentSize) return facts;
  // Not yet a damage: a tar may name a file twice, or link into a layer below. Its blob tells.
  return {
    ...facts,
    problem: `its files have ${size} bytes in place of ${record.contentSize}`,
    unproved: true,
  };
}
