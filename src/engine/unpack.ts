/** A layer's blob -> its directory in the store: unpacked aside, verified, synced, renamed. */
import { closeSync, openSync, unlinkSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { TsrunError } from '../errors.js';
import { applyLayer, type GrowingFile } from '../layer/apply.js';
import type { ApplyResult } from '../native/protocol.js';
import { findLayer, layerKey, publishLayer, type StoredLayer } from '../store/layers.js';
import { isLinked, openLockFile, waitForLock } from '../store/locks.js';
import { exists, type StagingDir, type Store } from '../store/staging.js';
import { type ChainId, type DiffId, type Digest, hexOf } from '../types/ids.js';
import type { ImageContext } from './image-context.js';

export interface LayerSource {
  /** The blob, compressed or not: a file, or one that is still on its way. */
  readonly input: string | GrowingFile;
  /** What the blob must hash to. */
  readonly digest: Digest;
  readonly diffId: DiffId;
  readonly chainId: ChainId;
  /** Unpacked layers below it, topmost first. */
  readonly lower: readonly string[];
}

/**
 * Unpacks one layer, unless another process has done it meanwhile. `work` has leased the layer's diff ID and chain ID.
 * @throws TsrunError CONTENT if the bytes are not what the manifest and the config say
 */
export async function unpackLayer(
  context: ImageContext,
  work: StagingDir,
  source: LayerSource,
  signal?: AbortSignal,
): Promise<{ layer: StoredLayer; unpacked: boolean }> {
  const { store } = context;
  return await withUnpackLock(store, source.chainId, signal, async () => {
    const found = findLayer(store.paths, source.diffId, source.chainId);
    if (found !== undefined) return { layer: found, unpacked: false };
    const target = join(work.dir, hexOf(source.chainId));
    await mkdir(target, { mode: 0o755 });
    try {
      const result = await apply(context, target, source, signal);
      verify(result, source);
      return { layer: await publish(store, target, source, result), unpacked: true };
    } catch (error) {
      await store.removeTrees([target]); // in the way of another attempt
      throw error;
    }
  });
}

/**
 * Publishes what was unpacked elsewhere, in `target` (in staging/), unless the layer is in place already. `work` has leased
 * the layer's diff ID and chain ID.
 */
export async function publishUnpacked(
  { store }: ImageContext,
  target: string,
  layer: Omit<LayerSource, 'input' | 'lower'>,
  result: ApplyResult,
): Promise<StoredLayer> {
  return await withUnpackLock(store, layer.chainId, undefined, async () => {
    const found = findLayer(store.paths, layer.diffId, layer.chainId);
    if (found !== undefined) return found;
    verify(result, layer);
    return await publish(store, target, layer, result);
  });
}

async function apply(
  { helperPath }: ImageContext,
  target: string,
  { input: source, lower }: LayerSource,
  signal?: AbortSignal,
): Promise<ApplyResult> {
  if (typeof source !== 'string')
    return await applyLayer({ helperPath, input: source, target, lower: [...lower], signal });
  const input = openSync(source, 'r');
  try {
    return await applyLayer({ helperPath, input, target, lower: [...lower], signal });
  } finally {
    closeSync(input);
  }
}

async function publish(
  store: Store,
  target: string,
  source: Omit<LayerSource, 'input' | 'lower'>,
  result: ApplyResult,
): Promise<StoredLayer> {
  const { diffId, chainId, digest } = source;
  const { standalone, contentSize, tarSize } = result;
  const key = layerKey(diffId, chainId, standalone);
  const layer = await publishLayer(store, target, key, { diffId, standalone, contentSize, tarSize, digest });
  // Somebody else's copy was first: ours is still in the way of the next attempt at this name.
  if (await exists(target)) await store.removeTrees([target]);
  return layer;
}

function verify(result: ApplyResult, { digest, diffId }: Pick<LayerSource, 'digest' | 'diffId'>): void {
  if (result.digest !== digest)
    throw new TsrunError('CONTENT', `filesystem layer verification failed for digest ${digest}`, {
      step: 'layer.verify',
      subject: digest,
    });
  if (result.diffId !== diffId)
    throw new TsrunError(
      'CONTENT',
      `layer ${digest} unpacks to ${result.diffId}, but its image says ${diffId}`,
      {
        step: 'layer.verify',
        subject: digest,
      },
    );
}

/** One process unpacks a layer, the others wait and find it. Nothing else is waited for while it is held. */
async function withUnpackLock<T>(
  store: Store,
  chainId: ChainId,
  signal: AbortSignal | undefined,
  fn: () => Promise<T>,
): Promise<T> {
  const path = join(store.paths.ingest, `${hexOf(chainId)}.unpack`);
  for (;;) {
    const fd = openLockFile(path);
    try {
      await waitForLock(store.native, fd, 0, 'exclusive', signal);
      if (!isLinked(fd)) continue; // the one before us has finished and unlinked it
      try {
        return await fn();
      } finally {
        unlinkSync(path);
      }
    } finally {
      closeSync(fd);
    }
  }
}
