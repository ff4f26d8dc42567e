/**
 * Before any answer: what dead processes left is put right, so that state is derived from what is true. Costs two directory
 * reads and one bulk lock probe when there is nothing to do.
 */
import { readdirSync } from 'node:fs';
import { hasRemains, listIds, probeAlive, readRecord } from '../store/containers.js';
import { unlessDamaged } from '../store/images.js';
import { withStorageLock } from '../store/locks.js';
import { listNames, releaseName } from '../store/names.js';
import { leasedNames, sweep } from '../store/staging.js';
import type { ContainerId } from '../types/ids.js';
import type { EngineContext } from './context.js';
import { recover } from './recover.js';

/** @param onResist hears of containers whose last run could not be cleaned up */
export async function reconcile(
  ctx: EngineContext,
  onResist?: (id: ContainerId, error: unknown) => void,
): Promise<void> {
  const ids = listIds(ctx.paths);
  const alive = probeAlive(ctx.native, ctx.paths, ids);
  for (const [i, id] of ids.entries()) {
    if (alive[i] === true || !hasRemains(ctx.paths.container(id))) continue;
    // One container that resists must not lock the user out of all others: `ps` shows it as dead, `rm` says why.
    await recover(ctx, id).catch((error: unknown) => {
      onResist?.(id, error);
      ctx.onTrace?.({ step: `container.recover failed: ${String(error)}`, subject: id, source: 'engine' });
    });
  }
  await sweep(ctx);
  if (readdirSync(ctx.paths.names).length !== ids.length) await sweepNames(ctx);
}

/** Removes names whose container is neither there nor being made, and those that a rename left behind. */
export async function sweepNames(ctx: EngineContext): Promise<void> {
  await withStorageLock(ctx.paths, ctx.native, 'exclusive', () => {
    const inWork = leasedNames(ctx);
    const there = new Set<string>(listIds(ctx.paths));
    for (const { name, owner } of listNames(ctx.paths))
      if (owner === undefined || !(there.has(owner) || inWork.has(owner)) || isFormer(ctx, owner, name))
        releaseName(ctx.paths, name);
  });
}

function isFormer(ctx: EngineContext, owner: ContainerId, name: string): boolean {
  // Of a record that cannot be read nothing is known: `system check` tells of it.
  const record = unlessDamaged(() => readRecord(ctx.paths, owner));
  return record !== undefined && record.name !== name;
}
