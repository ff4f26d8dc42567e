import type { ChangeKind } from '../types/engine.js';
import type { EngineContext } from './context.js';
import { withContainerLock } from './lock.js';
import { resolveContainer } from './resolve.js';
import { writablePart } from './writable.js';

/** What the container changed in its image, sorted by path; paths are bytes. */
export async function diff(
  ctx: EngineContext,
  text: string,
): Promise<{ kind: ChangeKind; path: Uint8Array }[]> {
  const record = resolveContainer(ctx.paths, text);
  const { diffTree } = await import('../layer/pack.js');
  return withContainerLock(ctx, record.id, () => diffTree(writablePart(ctx, record)));
}
