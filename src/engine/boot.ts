/** `system boot`: after a reboot, starts what the restart policies say. */
import { existsSync, readFileSync } from 'node:fs';
import type { LaunchSpec } from '../native/launch.js';
import { wantsBoot } from '../plan/boot.js';
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
    const at = ctx.paths.container(record.id);
    const { restart } = JSON.parse(readFileSync(at.launch, 'utf8')) as LaunchSpec;
    if (!wantsBoot(restart, exit, existsSync(at.stopped))) continue;
    try {
      await start(ctx, record.id);
      results.push({ id: record.id, name: record.name });
    } catch (error) {
      results.push({ id: record.id, name: record.name, error });
    }
  }
  return results;
}
