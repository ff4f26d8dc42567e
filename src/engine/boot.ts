/** `system boot`: after a reboot, starts what the restart policies say. */
import { existsSync } from 'node:fs';
import { wantsBoot } from '../plan/boot.js';
import { restartOf } from '../plan/update.js';
import type { BootResult } from '../types/engine.js';
import type { EngineContext } from './context.js';
import { start } from './start.js';
import { viewAll } from './view.js';

/** One after the other, oldest first, as containers may need those made before them. A failure does not stop the rest. */
export async function boot(ctx: EngineContext): Promise<BootResult[]> {
  const results: BootResult[] = [];
  const views = viewAll(ctx).sort((a, b) => (a.record.created < b.record.created ? -1 : 1));
  for (const { record, live, exit } of views) {
    if (live !== undefined) continue;
    const { stopped } = ctx.paths.container(record.id);
    if (!wantsBoot(restartOf(record.hostConfig), exit, existsSync(stopped))) continue;
    try {
      await start(ctx, record.id);
      results.push({ id: record.id, name: record.name });
    } catch (error) {
      results.push({ id: record.id, name: record.name, error });
    }
  }
  return results;
}
