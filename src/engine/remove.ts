import { constants } from 'node:os';
import { TsrunError } from '../errors.js';
import { type ContainerRecord, unlistContainer } from '../store/containers.js';
import { moveToTrash } from '../store/staging.js';
import type { ContainerId } from '../types/ids.js';
import type { EngineContext } from './context.js';
import { recordContainerEvent } from './journal.js';
import { withContainerLock } from './lock.js';
import { isAlive, monitorGone, signalMonitor } from './monitor.js';
import { noSuchContainer, resolveContainer } from './resolve.js';
import { findImage } from './resolve-image.js';
import { collectUnused } from './rmi.js';
import { removeUnusedVolumes } from './volumes.js';

/** A killed container is gone at once; what takes time is its ledger (cgroups that are slow to empty). */
const KILL_LIMIT_MS = 15_000;

export interface RemoveOptions {
  force?: boolean;
  volumes?: boolean;
}

/** Removes a container that is not running, or with `force` any. Anonymous volumes go with `volumes`. */
export async function remove(ctx: EngineContext, text: string, options: RemoveOptions = {}): Promise<void> {
  const record = resolveContainer(ctx.paths, text);
  if (isAlive(ctx, record.id) && options.force !== true) throw stillRunning(record.id);
  for (;;) {
    if (await killed(ctx, record)) return;
    if (await withContainerLock(ctx, record.id, () => removeStopped(ctx, record, options))) return;
    // Somebody started it while we waited for the lock.
    if (options.force !== true) throw stillRunning(record.id);
  }
}

function stillRunning(id: ContainerId): TsrunError {
  return new TsrunError(
    'IN_USE',
    `You cannot remove a running container ${id}. Stop the container before attempting removal or force remove`,
    { subject: id },
  );
}

/** Ends a running container. True if its monitor removed it too (--rm). */
async function killed(ctx: EngineContext, record: ContainerRecord): Promise<boolean> {
  const { id } = record;
  if (!isAlive(ctx, id)) return false;
  // It may end by itself between the look and the signal: that is what we want.
  await signalMonitor(ctx, id, constants.signals.SIGKILL).catch((error: unknown) => {
    if (!(error instanceof TsrunError) || (error.code !== 'NOT_RUNNING' && error.errno !== 'ESRCH'))
      throw error;
  });
  if (!(await monitorGone(ctx, id, KILL_LIMIT_MS)))
    throw new TsrunError('HELPER', `the monitor of container ${id} does not end`, {
      step: 'container.kill',
      subject: id,
      hint: 'a process of the container may hang in the kernel (state D), e.g. on a dead network file system',
    });
  return record.autoRemove;
}

/** False if it runs. */
async function removeStopped(
  ctx: EngineContext,
  record: ContainerRecord,
  options: RemoveOptions,
): Promise<boolean> {
  const { id } = record;
  if (isAlive(ctx, id)) return false;
  const trashed = await moveToTrash(ctx, ctx.paths.container(id).dir);
  if (trashed === undefined) throw noSuchContainer(id);
  unlistContainer(ctx.paths, record);
  await trashed.discard();
  recordContainerEvent(ctx, record, 'destroy');
  if (options.volumes === true) await removeUnusedVolumes(ctx, record.anonymousVolumes);
  if (findImage(ctx.paths, record.image.id) === undefined) await collectUnused(ctx);
  return true;
}
