import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { openRootfs } from './archive.js';
import type { EngineContext } from './context.js';
import { recordContainerEvent } from './journal.js';
import { resolveContainer } from './resolve.js';

/** @see Engine.export */
export async function exportContainer(
  ctx: EngineContext,
  text: string,
  output: Writable,
  options: { signal?: AbortSignal } = {},
): Promise<void> {
  const record = resolveContainer(ctx.paths, text);
  const { archive } = await openRootfs(ctx, record, text);
  recordContainerEvent(ctx, record, 'export');
  await pipeline(archive, output, { signal: options.signal });
}
