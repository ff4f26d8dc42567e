import type { EngineContext } from './context.js';
import { connectMonitor, exitCodeOfEnded } from './monitor.js';
import { resolveContainer } from './resolve.js';

/** Exit code once the container is not running; at once, with the last run's, when it isn't. */
export async function wait(ctx: EngineContext, text: string): Promise<number> {
  const { id } = resolveContainer(ctx.paths, text);
  const client = await connectMonitor(ctx, id);
  return client === undefined ? exitCodeOfEnded(ctx, id) : client.exit;
}
