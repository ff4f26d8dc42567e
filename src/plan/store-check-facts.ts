/** What a check has seen of a store, and what can be asked of that. Pure. */
import { type ChainId, type DiffId, type Digest, hexOf } from '../types/ids.js';
import type { StoreDamage } from '../types/system.js';

export interface StoreFacts {
  /** Whether index.json can be read. */
  indexWhole: boolean;
  /** What is missing or wrong in layers/init-v1. */
  initLayer: string[];
  images: ImageFacts[];
  /** By the hex of the digest. */
  blobs: Map<string, BlobFacts>;
  layers: LayerFacts[];
  containers: ContainerFacts[];
  volumes: VolumeFacts[];
  /** Unfinished work whose process is dead and that the sweep could not take away. */
  leftovers: { path: string; reason: string }[];
}

export interface ImageFacts {
  /** Of the manifest that the index names. */
  manifest: Digest;
  /** Familiar references; the short id of an image without one. */
  names: string[];
  /** Manifest or config that cannot be read. */
  unreadable: { digest: Digest; problem: string }[];
  /** Bottom first; empty while its documents cannot be read. */
  layers: ImageLayerFacts[];
}

export interface ImageLayerFacts {
  /** Of the blob. */
  digest: Digest;
  /** bytes, as the manifest says */
  size: number;
  diffId: DiffId;
  chainId: ChainId;
  /** Of its unpacked directory, if there is one with a readable record. */
  key?: string;
}

export interface BlobFacts {
  /** bytes */
  size: number;
  /** It was read, and its bytes are not those of its digest. */
  damaged: boolean;
}

export interface LayerFacts {
  key: string;
  /** What is wrong with it. */
  problem?: string;
  /** Something is wrong that only a comparison with its blob could tell, and there is no such blob. */
  unproved?: boolean;
  /** From its record: what it was unpacked from. Undefined if that cannot be read. */
  record?: { digest: Digest; diffId: DiffId };
}

export interface ContainerFacts {
  id: string;
  /** Its name, or its short id while its record cannot be read. */
  name: string;
  alive: boolean;
  /** Files whose JSON cannot be read: "container.json", "state", … */
  torn: string[];
  /** "lock", "upper" */
  missing: string[];
  /** Keys of the layers it stands on. */
  layers: string[];
  /** The reference it was made from. */
  image?: string;
  /** Its name is not linked. */
  unnamed: boolean;
  /** Why what its last run left could not be released. */
  resists?: string;
}

export interface VolumeFacts {
  name: string;
  problem?: 'no record' | 'torn record' | 'no data';
}

/** Everything of a stack that a layer is unpacked from. */
export interface LayerOrigin {
  digest: Digest;
  diffId: DiffId;
  chainId: ChainId;
  /** The layers below it, bottom first. */
  below: { diffId: DiffId; chainId: ChainId }[];
}

export type Remedy =
  | { do: 'rebuild-index' }
  | { do: 'rebuild-init-layer' }
  | { do: 'remove-blob'; hex: string }
  | { do: 'repack-blob'; digest: Digest; key: string }
  | { do: 'rebuild-layer'; key?: string; origin: LayerOrigin }
  | { do: 'quarantine-layer'; key: string }
  | { do: 'drop-image'; manifest: Digest }
  | { do: 'name-container'; id: string }
  | { do: 'quarantine-container'; id: string }
  | { do: 'quarantine-file'; id: string; file: string }
  | { do: 'make-lock'; id: string }
  | { do: 'write-volume-record'; name: string }
  | { do: 'make-volume-data'; name: string };

export type Judgement = Omit<StoreDamage, 'repair' | 'mended'> & { remedy?: Remedy };

/** Where a damaged directory can be unpacked from again: a whole blob, and the layers below. */
export function originOf(facts: StoreFacts, { key, record }: LayerFacts): LayerOrigin | undefined {
  for (const image of facts.images)
    for (const [i, layer] of image.layers.entries()) {
      if (layer.key !== key && hexOf(layer.chainId) !== key && hexOf(layer.diffId) !== key) continue;
      const origin = originIn(facts, image, i);
      if (origin !== undefined) return origin;
    }
  // Of no image (any more): its own record knows, if it needs nothing below.
  if (record === undefined || hexOf(record.diffId) !== key || !isWholeBlob(facts, record.digest))
    return undefined;
  return { ...record, chainId: record.diffId as string as ChainId, below: [] };
}

export function originIn(facts: StoreFacts, { layers }: ImageFacts, i: number): LayerOrigin | undefined {
  const layer = layers[i];
  if (layer === undefined || !isWholeBlob(facts, layer.digest, layer.size)) return undefined;
  const { digest, diffId, chainId } = layer;
  return { digest, diffId, chainId, below: layers.slice(0, i) };
}

export function isWholeBlob({ blobs }: StoreFacts, digest: Digest, size?: number): boolean {
  const blob = blobs.get(hexOf(digest));
  return blob !== undefined && !blob.damaged && (size === undefined || blob.size === size);
}

export function presentLayers({ layers }: StoreFacts): Set<string> {
  return new Set(layers.map(({ key }) => key));
}

export function imagesOn({ images }: StoreFacts, key: string): string[] {
  const stands = ({ layers }: ImageFacts) =>
    layers.some((layer) => [layer.key, hexOf(layer.diffId), hexOf(layer.chainId)].includes(key));
  return [...new Set(images.filter(stands).flatMap(({ names }) => names))];
}

export function ownersOf({ images }: StoreFacts, hex: string): string[] {
  const owns = ({ manifest, layers, unreadable }: ImageFacts) =>
    [manifest, ...layers.map(({ digest }) => digest), ...unreadable.map(({ digest }) => digest)].some(
      (digest) => hexOf(digest) === hex,
    );
  return [...new Set(images.filter(owns).flatMap(({ names }) => names))];
}

export function wantedSize({ images }: StoreFacts, hex: string): number | undefined {
  return images.flatMap(({ layers }) => layers).find(({ digest }) => hexOf(digest) === hex)?.size;
}
