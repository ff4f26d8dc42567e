/** Lock byte 1 of a container: whoever operates on it (start, commit, diff, rm) holds it. */
import { closeSync, constants, fstatSync, openSync, statSync } from 'node:fs';
import { errnoOf } from '../errors.js';
import { hasRemains } from '../store/containers.js';
import { waitForLock } from '../store/locks.js';
import type { ContainerId } from '../types/ids.js';
import type { EngineContext } from './context.js';
import { isAlive } from './monitor.js';
import { recover } from './recover.js';
import { noSuchContainer } from './resolve.js';

const OPERATION_BYTE = 1;

/**
 * Runs `fn` as the only operation on the container, with nothing of a dead monitor left behind. `fn` gets the descriptor
 * that holds the lock, so that a helper can hold it too.
 * @throws TsrunError NOT_FOUND when the container was removed before it was our turn.
 */
export async function withContainerLock<T>(
  ctx: EngineContext,
  id: ContainerId,
  fn: (lock: number) => Promise<T> | T,
): Promise<T> {
  for (;;) {
    // The recovery takes the lock itself, so it comes before; what dies in between is seen under the lock.
    await recover(ctx, id);
    const result = await underLock(ctx, id, async (lock) => {
      const died = !isAlive(ctx, id) && hasRemains(ctx.paths.container(id));
      return died ? undefined : { value: await fn(lock) };
    });
    if (result !== undefined) return result.value;
  }
}

async function underLock<T>(
  ctx: EngineContext,
  id: ContainerId,
  fn: (lock: number) => Promise<T>,
): Promise<T> {
  const path = ctx.paths.container(id).lock;
  const fd = open(path, id);
  try {
    await waitForLock(ctx.native, fd, OPERATION_BYTE, 'exclusive');
    if (!isSameFile(fd, path)) throw noSuchContainer(id);
    return await fn(fd);
  } finally {
    closeSync(fd);
  }
}

function open(path: string, id: ContainerId): number {
  try {
    return openSync(path, constants.O_RDWR | constants.O_NOFOLLOW);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') throw noSuchContainer(id);
    throw error;
  }
}

/** False once the container's directory was moved away while we waited. */
function isSameFile(fd: number, path: string): boolean {
  const mine = fstatSync(fd);
  const current = statSync(path, { throwIfNoEntry: false });
  return current !== undefined && current.ino === mine.ino && current.dev === mine.dev;
}
