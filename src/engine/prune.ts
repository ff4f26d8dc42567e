/** `container prune` and the parts of `system prune`: what nothing uses goes. */
import { TsrunError } from '../errors.js';
import { type Filters, truthFilter } from '../intent/filters.js';
import { PRUNE_FILTERS, pruneTest } from '../intent/prune-filter.js';
import { sweepIngest } from '../store/staging.js';
import type { PruneResult, RemovedImage } from '../types/engine.js';
import type { EngineContext } from './context.js';
import { storedBytes } from './disk-usage.js';
import { listImages } from './images.js';
import { remove } from './remove.js';
import { collectUnused, removeImage } from './rmi.js';
import { treeSize } from './size.js';
import { viewAll } from './view.js';

/** Removes every container that does not run. filters: label, label!, until */
export async function pruneContainers(ctx: EngineContext, filters: Filters = {}): Promise<PruneResult> {
  const accepts = pruneTest(filters, new Date());
  const result: PruneResult = { deleted: [], reclaimed: 0 };
  for (const { record, state } of viewAll(ctx)) {
    const labels = record.config.Labels ?? {};
    if (state !== 'exited' && state !== 'created' && state !== 'dead') continue;
    if (!accepts({ labels, created: record.created })) continue;
    const size = treeSize(ctx.paths.container(record.id).upper);
    if (!(await unlessInUse(() => remove(ctx, record.id)))) continue;
    result.deleted.push(record.id);
    result.reclaimed += size;
  }
  return result;
}

/**
 * Removes images that no container has: those without a name, or with `all` every one; and what pulls that did not end have
 * left. filters: label, label!, until, dangling
 */
export async function pruneImages(
  ctx: EngineContext,
  options: { all?: boolean; filters?: Filters } = {},
): Promise<{ removed: RemovedImage[]; reclaimed: number }> {
  const { filters = {} } = options;
  const accepts = pruneTest(filters, new Date(), [...PRUNE_FILTERS, 'dangling']);
  const all = filters.dangling ? !truthFilter('dangling', filters.dangling) : (options.all ?? false);
  const before = storedBytes(ctx.store.paths);
  const removed: RemovedImage[] = [];
  for (const { id, dangling, containers, labels, created } of await listImages(ctx, { all })) {
    if (containers > 0 || !(dangling || all)) continue;
    if (!accepts({ labels, created })) continue;
    // Several tags of one image are no reason to keep it: all of them are unused.
    await unlessInUse(async () => void removed.push(...(await removeImage(ctx, id, { force: all }))));
  }
  // They are nobody's: no filter says anything about them.
  await collectUnused(ctx);
  await sweepIngest(ctx.store, Number.POSITIVE_INFINITY);
  return { removed, reclaimed: Math.max(0, before - storedBytes(ctx.store.paths)) };
}

/** False if somebody began to use it, or took it away, in this moment. */
async function unlessInUse(work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (error instanceof TsrunError && (error.code === 'IN_USE' || error.code === 'NOT_FOUND')) return false;
    throw error;
  }
}
