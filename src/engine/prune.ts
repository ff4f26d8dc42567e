/** `container prune` and the parts of `system prune`: what nothing uses goes. */
import { TsrunError } from '../errors.js';
import { checkFilters, type Filters, matchesLabels } from '../intent/filters.js';
import type { PruneResult, RemovedImage } from '../types/engine.js';
import type { EngineContext } from './context.js';
import { layerSizes } from './disk-usage.js';
import { listImages } from './images.js';
import { remove } from './remove.js';
import { removeImage } from './rmi.js';
import { treeSize } from './size.js';
import { viewAll } from './view.js';

/** Removes every container that does not run. filters: label, label! */
export async function pruneContainers(ctx: EngineContext, filters: Filters = {}): Promise<PruneResult> {
  checkFilters(filters, ['label', 'label!']);
  const result: PruneResult = { deleted: [], reclaimed: 0 };
  for (const { record, state } of viewAll(ctx)) {
    const labels = record.config.Labels ?? {};
    if (state !== 'exited' && state !== 'created' && state !== 'dead') continue;
    if (!matchesLabels(labels, filters.label)) continue;
    if ((filters['label!'] ?? []).some((text) => matchesLabels(labels, [text]))) continue;
    const size = treeSize(ctx.paths.container(record.id).upper);
    if (!(await unlessInUse(() => remove(ctx, record.id)))) continue;
    result.deleted.push(record.id);
    result.reclaimed += size;
  }
  return result;
}

/** Removes images that no container has: those without a name, or with `all` every one. */
export async function pruneImages(
  ctx: EngineContext,
  options: { all?: boolean } = {},
): Promise<{ removed: RemovedImage[]; reclaimed: number }> {
  const sum = () => [...layerSizes(ctx.store.paths).values()].reduce((total, size) => total + size, 0);
  const before = sum();
  const removed: RemovedImage[] = [];
  for (const { id, dangling, containers } of await listImages(ctx, { all: options.all })) {
    if (containers > 0 || !(dangling || options.all)) continue;
    // Several tags of one image are no reason to keep it: all of them are unused.
    await unlessInUse(async () => void removed.push(...(await removeImage(ctx, id, { force: options.all }))));
  }
  return { removed, reclaimed: before - sum() };
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
