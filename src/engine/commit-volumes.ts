/** Volumes and `commit`: their content is not the container's, and still it is what people mean by "its data". */
import { readdirSync } from 'node:fs';
import { TsrunError } from '../errors.js';
import type { PackVolume } from '../layer/pack.js';
import type { ContainerRecord } from '../store/containers.js';
import { volumeData, volumeOptions } from '../store/volumes.js';
import type { CommitOptions } from '../types/engine.js';
import type { EngineContext } from './context.js';
import { subpathsOf } from './peers.js';

/**
 * What goes into the layer. Without `includeVolumes` that is nothing, and what the image will lack is told.
 * @throws TsrunError USAGE for a volume whose content only its containers see
 */
export function volumesToPack(
  ctx: EngineContext,
  record: ContainerRecord,
  { includeVolumes, onWarning }: CommitOptions,
): PackVolume[] {
  const mounted = record.mounts.flatMap(({ Type, Name, Destination }) =>
    Type === 'volume' && Name !== undefined ? [{ name: Name, path: Destination }] : [],
  );
  if (!includeVolumes) {
    const lost = mounted.filter(({ name }) => mayHaveContent(ctx, name)).map(({ path }) => path);
    if (lost.length > 0) onWarning?.(`data in volumes is not part of the image: ${lost.join(', ')}`);
    return [];
  }
  const parts = new Map(subpathsOf(ctx, record.id).map((part) => [part.destination, part.subpath]));
  return mounted.map(({ name, path }) => {
    if (isMounted(ctx, name))
      throw new TsrunError('USAGE', `the content of volume ${name} is seen by its containers alone`, {
        step: 'commit.volumes',
        subject: name,
        hint: `it has driver options, so it is mounted in each container; copy ${path} with tsrun cp`,
      });
    return { path, dir: volumeData(ctx.paths, name), part: parts.get(path) };
  });
}

/** Driver options: it lies somewhere else, and is mounted where it is used. */
function isMounted(ctx: EngineContext, name: string): boolean {
  return Object.keys(volumeOptions(ctx.paths, name) ?? {}).length > 0;
}

function mayHaveContent(ctx: EngineContext, name: string): boolean {
  return isMounted(ctx, name) || readdirSync(volumeData(ctx.paths, name)).length > 0;
}
