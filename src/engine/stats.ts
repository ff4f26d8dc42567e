/** `stats`: what containers use now. One look costs a few small files each; nobody keeps watch in between. */
import { readFileSync } from 'node:fs';
import { UsageReader } from '../host/usage.js';
import type { ContainerStats, StatsOptions } from '../types/engine.js';
import type { EngineContext } from './context.js';
import { resolveContainer } from './resolve.js';
import { type ContainerView, viewAll, viewContainer } from './view.js';

/** Without names: all that run, or with `all` all there are. @throws TsrunError NOT_FOUND */
export function stats(
  ctx: EngineContext,
  containers: readonly string[] = [],
  options: StatsOptions = {},
): ContainerStats[] {
  const views =
    containers.length > 0
      ? containers.map((text) => viewContainer(ctx, resolveContainer(ctx.paths, text)))
      : viewAll(ctx).filter(({ live }) => live !== undefined || options.all === true);
  const reader = new UsageReader();
  return views
    .sort((a, b) => (a.record.created < b.record.created ? 1 : -1))
    .map((view) => statsOf(ctx, view, reader));
}

function statsOf(ctx: EngineContext, { record, live }: ContainerView, reader: UsageReader): ContainerStats {
  const stat = { id: record.id, name: record.name, time: process.hrtime.bigint() };
  const cgroup = live === undefined || live.phase === 'restarting' ? undefined : cgroupOf(ctx, record.id);
  if (live === undefined || cgroup === undefined) return stat;
  // On the host's network the counters are the host's, not the container's.
  return { ...stat, usage: reader.read(cgroup, record.network === 'host' ? undefined : live.pid) };
}

/** Undefined when the container has just been removed. */
function cgroupOf(ctx: EngineContext, id: ContainerView['record']['id']): string | undefined {
  try {
    const config = JSON.parse(readFileSync(ctx.paths.container(id).config, 'utf8')) as {
      linux?: { cgroupsPath?: string };
    };
    return config.linux?.cgroupsPath;
  } catch {
    return undefined;
  }
}
