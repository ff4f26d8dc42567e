/** The documents that follow a container's record when it is updated, and what an update that was cut short left. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import type { LaunchSpec } from '../native/launch.js';
import { limitsOf, resourcesOf } from '../plan/limits.js';
import { specText } from '../plan/spec-text.js';
import { restartOf, type UpdatePlan, withResources } from '../plan/update.js';
import { writeFileAtomic } from '../store/atomic.js';
import { type ContainerRecord, renewName } from '../store/containers.js';
import { withStorageLock } from '../store/locks.js';
import type { RuntimeSpec } from '../types/oci.js';
import type { EngineContext } from './context.js';

/** Ends a change that was cut short, under the container's lock: the documents say what its record says. */
export async function settleUpdate(ctx: EngineContext, record: ContainerRecord): Promise<void> {
  const { updating, record: path } = ctx.paths.container(record.id);
  if (!existsSync(updating)) return;
  const documents = readDocuments(ctx, record);
  const resources = resourcesOf(limitsOf(record.hostConfig));
  await writeDocuments(ctx, record, changed(documents, { resources, restart: restartOf(record.hostConfig) }));
  await withStorageLock(ctx.paths, ctx.native, 'exclusive', () => renewName(ctx.paths, record, path));
  rmSync(updating, { force: true });
}

/** Texts of config.json and launch.json. */
interface Documents {
  config: string;
  launch: string;
}

export function readDocuments(ctx: EngineContext, { id }: ContainerRecord): Documents {
  const at = ctx.paths.container(id);
  return { config: readFileSync(at.config, 'utf8'), launch: readFileSync(at.launch, 'utf8') };
}

export function changed(
  { config, launch }: Documents,
  { resources, restart }: Pick<UpdatePlan, 'resources' | 'restart'>,
): Documents {
  return {
    config: specText(withResources(JSON.parse(config) as RuntimeSpec, resources)),
    launch: JSON.stringify({ ...(JSON.parse(launch) as LaunchSpec), restart }),
  };
}

export async function writeDocuments(
  ctx: EngineContext,
  record: ContainerRecord,
  documents: Documents,
): Promise<void> {
  const at = ctx.paths.container(record.id);
  const durable = !record.autoRemove;
  await writeFileAtomic(at.config, documents.config, { durable });
  await writeFileAtomic(at.launch, documents.launch, { durable });
}
