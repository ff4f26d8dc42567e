/** The part of a check that reads everything: blobs are hashed, unpacked layers compared with what their blobs give. */
import { createHash } from 'node:crypto';
import { closeSync, createReadStream, openSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { TsrunError } from '../errors.js';
import { applyLayer } from '../layer/apply.js';
import { packLayer } from '../layer/pack.js';
import type { ApplyResult } from '../native/protocol.js';
import type { LayerOrigin } from '../plan/store-check-facts.js';
import { findLayer } from '../store/layers.js';
import type { StagingDir } from '../store/staging.js';
import { hexOf } from '../types/ids.js';
import type { EngineContext } from './context.js';

export async function hashOfFile(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  const stream: AsyncIterable<Buffer> = createReadStream(path, { highWaterMark: 1024 * 1024, signal });
  for await (const chunk of stream) hash.update(chunk);
  return hash.digest('hex');
}

/** Directories of the layers below, topmost first; undefined if one of them is not unpacked. */
export function lowersOf({ paths }: EngineContext, { below }: LayerOrigin): string[] | undefined {
  const dirs = below.map(({ diffId, chainId }) => findLayer(paths, diffId, chainId)?.dir);
  return dirs.includes(undefined) ? undefined : (dirs as string[]).reverse();
}

/**
 * Unpacks a layer from its blob into a new directory of `work`.
 * @throws TsrunError CONTENT if the blob does not give that layer
 */
export async function unpackFresh(
  ctx: EngineContext,
  work: StagingDir,
  origin: LayerOrigin,
  signal?: AbortSignal,
): Promise<{ dir: string; result: ApplyResult }> {
  const lower = lowersOf(ctx, origin);
  if (lower === undefined)
    throw new TsrunError('CONTENT', 'a layer below it is not unpacked', { step: 'check.unpack' });
  const dir = join(work.dir, hexOf(origin.chainId));
  await ctx.removeTrees([dir]);
  await mkdir(dir, { mode: 0o755 });
  const input = openSync(ctx.paths.blob(origin.digest), 'r');
  try {
    const result = await applyLayer({ helperPath: ctx.helperPath, input, target: dir, lower, signal });
    if (result.digest !== origin.digest || result.diffId !== origin.diffId)
      throw new TsrunError('CONTENT', `blob ${origin.digest} does not give layer ${origin.diffId}`, {
        step: 'check.unpack',
        subject: origin.digest,
      });
    return { dir, result };
  } finally {
    closeSync(input);
  }
}

/** What the tree is, in one value: two directories that differ in anything that a layer can say have two. */
export async function treeDigest(ctx: EngineContext, dir: string, signal?: AbortSignal): Promise<string> {
  const output = openSync('/dev/null', 'w');
  try {
    return (await packLayer({ helperPath: ctx.helperPath, upper: dir, output, signal })).diffId;
  } finally {
    closeSync(output);
  }
}

/** What is wrong with an unpacked layer; undefined if it is what its blob gives. */
export async function differenceOf(
  ctx: EngineContext,
  work: StagingDir,
  dir: string,
  origin: LayerOrigin,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const there = await treeDigest(ctx, dir, signal);
  // Packed here, it packs to the same bytes again.
  if (there === origin.diffId) return undefined;
  const fresh = await unpackFresh(ctx, work, origin, signal);
  try {
    if (there === (await treeDigest(ctx, fresh.dir, signal))) return undefined;
    return `is not what its blob gives: ${await someOf(ctx, fresh.dir, dir)}`;
  } finally {
    await ctx.removeTrees([fresh.dir]);
  }
}

const SHOWN = 3;

/** The first paths that differ. */
async function someOf(ctx: EngineContext, fresh: string, dir: string): Promise<string> {
  const { diffTree } = await import('../layer/pack.js');
  const { helperPath } = ctx;
  const changed = await diffTree({ helperPath, upper: dir, lower: [fresh] });
  const missing = await diffTree({ helperPath, upper: fresh, lower: [dir] });
  const paths = [...changed, ...missing.filter(({ kind }) => kind === 'A')].map(({ path }) =>
    Buffer.from(path).toString('utf8'),
  );
  if (paths.length === 0) return 'attributes';
  const more = paths.length > SHOWN ? ` and ${paths.length - SHOWN} more` : '';
  return paths.slice(0, SHOWN).join(', ') + more;
}
