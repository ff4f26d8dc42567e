/** Volumes that are memory: every container mounts its own, so two at a time would not share what they write. */
import { TsrunError } from '../errors.js';
import { parseVolumeOptions } from '../intent/volume-options.js';
import type { ContainerRecord } from '../store/containers.js';
import { volumeOptions } from '../store/volumes.js';
import { parseContainerId } from '../types/ids.js';
import type { EngineContext } from './context.js';
import { isAlive } from './monitor.js';
import { volumeUsers } from './volumes.js';

/** Before a start. @throws TsrunError IN_USE */
export function refuseSharedMemory(ctx: EngineContext, { id, mounts }: ContainerRecord): void {
  for (const { Type, Name } of mounts) {
    if (Type !== 'volume' || Name === undefined) continue;
    if (!parseVolumeOptions(Name, volumeOptions(ctx.paths, Name) ?? {})?.fleeting) continue;
    const others = (volumeUsers(ctx.paths).get(Name) ?? []).filter((other) => other !== id);
    const user = others.find((other) => isAlive(ctx, parseContainerId(other)));
    if (user === undefined) continue;
    throw new TsrunError('IN_USE', `volume ${Name} is memory of container ${user}, which runs`, {
      step: 'container.start',
      subject: Name,
      hint: 'share a directory of the host, or --ipc container:NAME for /dev/shm',
    });
  }
}
