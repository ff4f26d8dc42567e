/** A container as it is now: its record, and a state that is derived and never stored. */
import type { ExitRecord, HealthRecord, StateRecord } from '../native/launch.js';
import { statusText } from '../plan/status.js';
import {
  type ContainerRecord,
  hasRemains,
  listIds,
  probeAlive,
  readExit,
  readHealth,
  readRecord,
  readState,
} from '../store/containers.js';
import type { ContainerPaths } from '../store/paths.js';
import type { ContainerState } from '../types/engine.js';
import type { ContainerId } from '../types/ids.js';
import type { EngineContext } from './context.js';
import { isAlive } from './monitor.js';

export interface ContainerView {
  record: ContainerRecord;
  state: ContainerState;
  /** Of the run that goes on now. */
  live?: StateRecord;
  /** Of the last run that ended. */
  exit?: ExitRecord;
  /** What the probe says, of the run that goes on now or of the last one: then it says "unhealthy", as Docker does. */
  health?: HealthRecord;
}

export function viewContainer(
  ctx: EngineContext,
  record: ContainerRecord,
  alive = isAlive(ctx, record.id),
): ContainerView {
  const paths = ctx.paths.container(record.id);
  const live = alive ? readState(paths) : undefined;
  const exit = readExit(paths);
  if (live !== undefined) {
    return { record, state: live.phase, live, exit, ...healthOf(paths, live.phase !== 'restarting') };
  }
  // A monitor that has written no state yet is still starting.
  const ended: ContainerState = exit?.startedAt === undefined ? 'created' : 'exited';
  return { record, state: !alive && hasRemains(paths) ? 'dead' : ended, exit, ...healthOf(paths, false) };
}

function healthOf(paths: ContainerPaths, runs: boolean): Pick<ContainerView, 'health'> {
  const health = readHealth(paths);
  if (health === undefined) return {};
  return { health: runs ? health : { ...health, status: 'unhealthy' } };
}

/** All containers; one that goes away while it is looked at is left out. */
export function viewAll(ctx: EngineContext): ContainerView[] {
  const ids: ContainerId[] = listIds(ctx.paths);
  const alive = probeAlive(ctx.native, ctx.paths, ids);
  const views: ContainerView[] = [];
  for (const [i, id] of ids.entries()) {
    const record = readRecord(ctx.paths, id);
    if (record !== undefined) views.push(viewContainer(ctx, record, alive[i] === true));
  }
  return views;
}

/** The STATUS column. */
export function statusOf({ state, live, exit, health }: ContainerView, now: Date): string {
  return statusText(
    {
      state,
      startedAt: live?.startedAt ?? exit?.startedAt,
      finishedAt: exit?.finishedAt,
      exitCode: exit?.exitCode,
      ...(health ? { health: health.status } : {}),
    },
    now,
  );
}
