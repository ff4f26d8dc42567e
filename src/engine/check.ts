/** `system check`: what is wrong with the store, by content, not by what records say; and what a repair makes of it. */
import { existsSync, readdirSync, readFileSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, TsrunError } from '../errors.js';
import { judgeStore } from '../plan/store-check.js';
import { type Judgement, type LayerFacts, originOf, type StoreFacts } from '../plan/store-check-facts.js';
import { remedyText } from '../plan/store-check-state.js';
import { isTemp } from '../store/atomic.js';
import { damageOfInitLayer } from '../store/init-layer.js';
import { listLayers } from '../store/layers.js';
import { withStorageLock } from '../store/locks.js';
import { abandonedEntries, leasedNames, StagingDir } from '../store/staging.js';
import type { CheckOptions, StoreCheck, StoreDamage } from '../types/system.js';
import { differenceOf, hashOfFile } from './check-content.js';
import {
  documentDigests,
  isDamagedDocument,
  lookAtBlobs,
  lookAtImages,
  lookAtIndex,
  lookAtLayers,
} from './check-look.js';
import { applyRemedy } from './check-repair.js';
import { lookAtContainers, lookAtLeftovers, lookAtVolumes } from './check-state.js';
import type { EngineContext } from './context.js';
import { reconcile } from './reconcile.js';

export async function checkStore(ctx: EngineContext, options: CheckOptions = {}): Promise<StoreCheck> {
  const abandoned = abandonedEntries(ctx);
  const swept = lookAtLeftovers(ctx);
  const resisting = new Map<string, string>();
  const failed = await settle(ctx, resisting);
  swept.push(...(await sweepRemnants(ctx)));
  const work = await StagingDir.create(ctx);
  try {
    await leaseAll(ctx, work);
    const look = () => lookAtStore(ctx, work, { abandoned, failed, resisting, ...options });
    const facts = await look();
    const found = judgeStore(facts);
    const checked = countsOf(facts);
    if (options.repair !== true || found.length === 0)
      return { checked, swept, damages: found.map((each) => damageOf(each, false)) };
    const done = await repairAll(ctx, work, found, options.signal);
    // What still is there, or was behind what is gone now, is told too; the content was read by then.
    const after = judgeStore(await lookAtStore(ctx, work, { abandoned, failed: undefined, resisting }));
    return { checked, swept, damages: mended(found, done, after) };
  } finally {
    await work.discard();
  }
}

/** What every command does first. Here it may fail: then that is what the check tells. */
async function settle(ctx: EngineContext, resisting: Map<string, string>): Promise<string | undefined> {
  try {
    await reconcile(ctx, (id, error) => resisting.set(id, messageOf(error)));
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What an interrupted publication leaves among blobs and layers means nothing: files without a name, records without a layer. */
async function sweepRemnants(ctx: EngineContext): Promise<string[]> {
  const { paths, native } = ctx;
  return await withStorageLock(paths, native, 'exclusive', () => {
    const leased = leasedNames(ctx);
    const temporary = [paths.blobs, paths.layers].flatMap((dir) =>
      readdirSync(dir)
        .filter(isTemp)
        .map((name) => join(dir, name)),
    );
    const records = listLayers(paths).orphanRecords.filter(
      (path) => ![...leased].some((name) => path.includes(name)),
    );
    for (const path of [...temporary, ...records]) unlinkSync(path);
    return [...temporary, ...records].map((path) => `unfinished work ${path.slice(paths.root.length + 1)}`);
  });
}

/** Until the check ends nothing of what it looks at is collected. What the index names was there when it named it. */
async function leaseAll(ctx: EngineContext, work: StagingDir): Promise<void> {
  const { paths } = ctx;
  const index = () => (existsSync(paths.index) ? readFileSync(paths.index, 'utf8') : '');
  for (;;) {
    const before = index();
    await work.lease(
      [...readdirSync(paths.blobs), ...listLayers(paths).keys].filter((name) => !isTemp(name)),
    );
    if (index() === before) return;
  }
}

interface Look extends CheckOptions {
  abandoned: readonly string[];
  failed: string | undefined;
  resisting: ReadonlyMap<string, string>;
}

async function lookAtStore(ctx: EngineContext, work: StagingDir, look: Look): Promise<StoreFacts> {
  const { paths } = ctx;
  const { full = false, signal } = look;
  const index = lookAtIndex(paths);
  const images = lookAtImages(paths, index ?? []);
  const documents = documentDigests(images, index ?? []);
  const blobs = await lookAtBlobs(paths, async (hex, path, size) => {
    if (documents.has(hex)) return isDamagedDocument(paths, hex, size);
    return full && (await hashUnlessGone(path, signal)) !== hex;
  });
  const facts: StoreFacts = {
    indexWhole: index !== undefined,
    initLayer: damageOfInitLayer(paths),
    images,
    blobs,
    layers: lookAtLayers(paths),
    containers: lookAtContainers(ctx, look.resisting),
    volumes: lookAtVolumes(paths),
    leftovers: leftoversOf(ctx, look),
  };
  const layers: LayerFacts[] = [];
  for (const layer of facts.layers) layers.push(await compared(ctx, work, facts, layer, full, signal));
  return { ...facts, layers };
}

async function hashUnlessGone(path: string, signal?: AbortSignal): Promise<string> {
  try {
    return await hashOfFile(path, signal);
  } catch (error) {
    if (signal?.aborted) throw error;
    return errnoOf(error) ?? ''; // EIO is damage, too
  }
}

/** Compares a layer with its blob if that is asked for, or if its sizes alone cannot be explained. */
async function compared(
  ctx: EngineContext,
  work: StagingDir,
  facts: StoreFacts,
  layer: LayerFacts,
  full: boolean,
  signal?: AbortSignal,
): Promise<LayerFacts> {
  const suspect = layer.problem !== undefined && layer.unproved === true;
  if (!suspect && (!full || layer.problem !== undefined)) return layer;
  const origin = originOf(facts, layer);
  if (origin === undefined) return layer;
  const { key, record } = layer;
  try {
    const problem = await differenceOf(ctx, work, ctx.paths.layer(key), origin, signal);
    return { key, record, ...(problem === undefined ? {} : { problem }) };
  } catch (error) {
    if (!(error instanceof TsrunError) || error.code === 'CANCELLED' || error.errno === 'ENOSPC') throw error;
    return { key, record, problem: error.message, unproved: error.code === 'CONTENT' };
  }
}

function leftoversOf(ctx: EngineContext, { abandoned, failed }: Look): StoreFacts['leftovers'] {
  const still = new Set(abandonedEntries(ctx));
  const reason = `cannot be removed${failed === undefined ? '' : `: ${failed}`}`;
  return abandoned
    .filter((path) => still.has(path))
    .map((path) => ({ path: path.slice(ctx.paths.root.length + 1), reason }));
}

function countsOf({ images, layers, blobs, containers, volumes }: StoreFacts): StoreCheck['checked'] {
  return {
    images: images.length,
    layers: layers.length,
    blobs: blobs.size,
    containers: containers.length,
    volumes: volumes.length,
  };
}

/** Applies all remedies, in order; why one failed, by its judgement. */
async function repairAll(
  ctx: EngineContext,
  work: StagingDir,
  found: readonly Judgement[],
  signal?: AbortSignal,
): Promise<Map<Judgement, string | undefined>> {
  const done = new Map<Judgement, string | undefined>();
  for (const judgement of found) {
    if (judgement.remedy === undefined) continue;
    try {
      await applyRemedy(ctx, work, judgement.remedy, signal);
      done.set(judgement, undefined);
    } catch (error) {
      if (signal?.aborted) throw error;
      done.set(judgement, messageOf(error));
    }
  }
  // A name that was put right, or lost its owner, is settled as before every command.
  await settle(ctx, new Map());
  return done;
}

function mended(
  found: readonly Judgement[],
  done: ReadonlyMap<Judgement, string | undefined>,
  after: readonly Judgement[],
): StoreDamage[] {
  const keyOf = ({ kind, subject, problem }: Judgement) => `${kind} ${subject} ${problem}`;
  const still = new Set(after.map(keyOf));
  const known = new Set(found.map(keyOf));
  const first = found.map((judgement) => {
    const failure = done.get(judgement);
    if (failure !== undefined) {
      const hint = [`the repair failed: ${failure}`, ...(judgement.hint ? [judgement.hint] : [])].join('; ');
      return { ...damageOf(judgement, false), hint };
    }
    return damageOf(judgement, done.has(judgement) ? !still.has(keyOf(judgement)) : false);
  });
  return [...first, ...after.filter((each) => !known.has(keyOf(each))).map((each) => damageOf(each, false))];
}

function damageOf({ remedy, ...judgement }: Judgement, isMended: boolean): StoreDamage {
  return {
    ...judgement,
    ...(remedy === undefined ? {} : { repair: remedyText(remedy) }),
    mended: isMended,
  };
}
