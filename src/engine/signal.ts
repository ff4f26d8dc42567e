import { TsrunError } from '../errors.js';
import type { EngineContext } from './context.js';
import { isAlive, signalMonitor } from './monitor.js';
import { withPrefix } from './prefix.js';
import { resolveContainer } from './resolve.js';

/** Sends signal number `signal` to PID 1. @throws TsrunError NOT_RUNNING in Docker's words. */
export async function signalContainer(ctx: EngineContext, text: string, signal: number): Promise<void> {
  await withPrefix(`Cannot kill container: ${text}: `, async () => {
    const { id } = resolveContainer(ctx.paths, text);
    if (!isAlive(ctx, id))
      throw new TsrunError('NOT_RUNNING', `Container ${id} is not running`, { subject: text });
    await signalMonitor(ctx, id, signal);
  });
}
