/** Other containers, as a plan asks for them. */

import { readFileSync } from 'node:fs';
import { TsrunError } from '../errors.js';
import type { LaunchSpec } from '../native/launch.js';
import type { PeerSource } from '../plan/lookups.js';
import type { ContainerRecord } from '../store/containers.js';
import { type ContainerId, parseContainerId } from '../types/ids.js';
import type { EngineContext } from './context.js';
import { isAlive } from './monitor.js';
import { resolveContainer } from './resolve.js';

export function peerSource(ctx: EngineContext): PeerSource {
  return {
    find(text) {
      const record = resolveContainer(ctx.paths, text);
      const { id, mounts, hostConfig } = record;
      const { IpcMode } = hostConfig;
      return {
        id,
        dir: ctx.paths.container(id).dir,
        ipcMode: typeof IpcMode === 'string' ? IpcMode : '',
        mounts,
        subpaths: new Map(subpathsOf(ctx, id).map(({ destination, subpath }) => [destination, subpath])),
      };
    },
  };
}

/** Parts of volumes that a container has in place of the whole. */
export function subpathsOf(ctx: EngineContext, id: ContainerId): NonNullable<LaunchSpec['subpaths']> {
  const launch = JSON.parse(readFileSync(ctx.paths.container(id).launch, 'utf8')) as LaunchSpec;
  return launch.subpaths ?? [];
}

/**
 * Containers whose namespaces are joined must run: told in Docker's words before anything is started. The helper, which
 * opens the namespaces, decides in the end.
 * @throws TsrunError NOT_RUNNING
 */
export function checkJoins(ctx: EngineContext, { hostConfig }: ContainerRecord): void {
  const ipc = joinedId(hostConfig.IpcMode);
  if (ipc !== undefined && !runs(ctx, ipc))
    throw notRunning(`can't join IPC of container ${ipc}: container ${ipc} is not running`, ipc);
  const pid = joinedId(hostConfig.PidMode);
  if (pid !== undefined && !runs(ctx, pid)) throw notRunning(`container ${pid} is not running`, pid);
}

function joinedId(mode: unknown): string | undefined {
  return typeof mode === 'string' ? /^container:([0-9a-f]{64})$/.exec(mode)?.[1] : undefined;
}

function runs(ctx: EngineContext, id: string): boolean {
  return isAlive(ctx, parseContainerId(id));
}

function notRunning(message: string, subject: string): TsrunError {
  return new TsrunError('NOT_RUNNING', message, { step: 'container.start', subject });
}
