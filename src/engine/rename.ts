import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { TsrunError } from '../errors.js';
import { parseContainerName } from '../intent/name.js';
import type { LaunchSpec } from '../native/launch.js';
import { type ContainerRecord, replaceFile } from '../store/containers.js';
import { withStorageLock } from '../store/locks.js';
import { claimName, nameConflict, ownerOfName, releaseName } from '../store/names.js';
import type { EngineContext } from './context.js';
import { eventAttributes, recordContainerEvent } from './journal.js';
import { withContainerLock } from './lock.js';
import { withPrefix } from './prefix.js';
import { resolveContainer } from './resolve.js';

const NEW_NAME = 'Error when allocating new name: ';

/** @throws TsrunError CONFLICT for a name that is taken, in Docker's words. */
export async function rename(ctx: EngineContext, text: string, newName: string): Promise<void> {
  const { id } = resolveContainer(ctx.paths, text);
  if (newName === '')
    throw new TsrunError('USAGE', 'Neither old nor new names may be empty', { subject: text });
  const name = await withPrefix(NEW_NAME, async () => parseContainerName(newName));
  await withContainerLock(ctx, id, () =>
    // With it, nobody sweeps the names while two of them are the container's.
    withStorageLock(ctx.paths, ctx.native, 'exclusive', async () => {
      const record = resolveContainer(ctx.paths, id);
      if (record.name === name)
        throw new TsrunError('USAGE', 'Renaming a container with the same name as its current name', {
          subject: name,
        });
      await withPrefix(NEW_NAME, async () => move(ctx, record, { ...record, name }));
    }),
  );
}

/** The new name first: a container that has two names for a moment is found by both; the sweep takes the one it is not called. */
function move(ctx: EngineContext, old: ContainerRecord, record: ContainerRecord): void {
  const at = ctx.paths.container(record.id);
  const temporary = `${at.record}.renamed`;
  rmSync(temporary, { force: true });
  writeFileSync(temporary, JSON.stringify(record), { mode: 0o600 });
  if (!claimName(ctx.paths, record.name, temporary)) {
    rmSync(temporary, { force: true });
    throw nameConflict(record.name, ownerOfName(ctx.paths, record.name) ?? '');
  }
  const launch = JSON.parse(readFileSync(at.launch, 'utf8')) as LaunchSpec;
  const changed = {
    ...launch,
    nameFile: ctx.paths.name(record.name),
    eventAttributes: eventAttributes(record),
  };
  replaceFile(at.launch, JSON.stringify(changed), 0o600);
  renameSync(temporary, at.record);
  releaseName(ctx.paths, old.name);
  recordContainerEvent(ctx, record, 'rename', { oldName: `/${old.name}` });
}
