/** `healthcheck run`: the monitor runs the check, so that the result counts as any other. */
import { TsrunError } from '../errors.js';
import { planHealth } from '../plan/health.js';
import type { EngineContext } from './context.js';
import { refuseUnlessRunning } from './exec.js';
import { connectMonitor } from './monitor.js';
import { recover } from './recover.js';
import { resolveContainer } from './resolve.js';

/** True if the container is healthy. @throws TsrunError NOT_RUNNING, or NOT_FOUND when it has no check */
export async function runHealthcheck(ctx: EngineContext, text: string): Promise<boolean> {
  const record = resolveContainer(ctx.paths, text);
  const { Healthcheck, Shell } = record.config;
  if (planHealth(Healthcheck, Shell) === undefined)
    throw new TsrunError('NOT_FOUND', `container ${record.id} has no defined healthcheck`, {
      step: 'healthcheck',
      subject: text,
      hint: 'one is given by --health-cmd, or by the HEALTHCHECK of the image',
    });
  await recover(ctx, record.id);
  refuseUnlessRunning(ctx, record, text);
  const client = await connectMonitor(ctx, record.id);
  try {
    if (client !== undefined) return await client.probe();
  } catch (error) {
    // A container that ended, or was paused, just now says it better.
    refuseUnlessRunning(ctx, record, text);
    throw error;
  } finally {
    client?.detach();
  }
  throw new TsrunError('NOT_RUNNING', `Container ${record.id} is not running`, { subject: text });
}
