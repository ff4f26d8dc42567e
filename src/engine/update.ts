/**
 * `update`: other limits and another restart policy for a container, also one that runs. container.json says what holds; the
 * documents of the helper follow it. While they are changed the file `updating` is there: whoever finds it later makes them
 * follow again, so a change that was cut short has happened or not, but never in part.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { TsrunError } from '../errors.js';
import { probeHost } from '../host/probe.js';
import { parseUpdate } from '../intent/update.js';
import { runTreeVerb } from '../layer/helper.js';
import type { UpdateResult } from '../native/protocol.js';
import { planUpdate, type UpdatePlan } from '../plan/update.js';
import { type ContainerRecord, replaceRecord } from '../store/containers.js';
import { withStorageLock } from '../store/locks.js';
import type { UpdateOptions } from '../types/engine.js';
import type { EngineContext } from './context.js';
import { recordContainerEvent } from './journal.js';
import { withContainerLock } from './lock.js';
import { isAlive } from './monitor.js';
import { resolveContainer } from './resolve.js';
import { changed, readDocuments, settleUpdate, writeDocuments } from './settle-update.js';
import { viewContainer } from './view.js';

/** Warnings, in Docker's words. @throws TsrunError; then everything is as before. */
export async function update(
  ctx: EngineContext,
  text: string,
  options: UpdateOptions,
): Promise<{ warnings: string[] }> {
  const intent = parseUpdate(options);
  const { id } = resolveContainer(ctx.paths, text);
  return withContainerLock(ctx, id, async () => {
    const record = resolveContainer(ctx.paths, id);
    await settleUpdate(ctx, record);
    const { hostConfig, autoRemove } = record;
    const plan = planUpdate({ intent, id, hostConfig, autoRemove, facts: probeHost() });
    await change(ctx, record, plan);
    recordContainerEvent(ctx, { ...record, hostConfig: plan.hostConfig }, 'update');
    return { warnings: plan.warnings };
  });
}

/** config.json before the living cgroup, which gets what stands there; the record last: with it the change has happened. */
async function change(ctx: EngineContext, record: ContainerRecord, plan: UpdatePlan): Promise<void> {
  const { updating } = ctx.paths.container(record.id);
  const before = readDocuments(ctx, record);
  writeFileSync(updating, '', { mode: 0o600 });
  let undo: UpdateResult | undefined;
  try {
    await writeDocuments(ctx, record, changed(before, plan));
    undo = await applyToCgroup(ctx, record);
    await withStorageLock(ctx.paths, ctx.native, 'exclusive', () =>
      replaceRecord(ctx.paths, { ...record, hostConfig: plan.hostConfig }),
    );
  } catch (error) {
    // What cannot be taken back now is put right by whoever finds the mark.
    if (undo !== undefined) await restoreCgroup(ctx, record, undo);
    await writeDocuments(ctx, record, before);
    rmSync(updating, { force: true });
    throw error;
  }
  rmSync(updating, { force: true });
}

/** Undefined when nothing runs: the next start makes the cgroup with the new limits. */
async function applyToCgroup(ctx: EngineContext, record: ContainerRecord): Promise<UpdateResult | undefined> {
  const { id } = record;
  if (!isAlive(ctx, id)) return undefined;
  try {
    return await runTreeVerb<UpdateResult>({
      helperPath: ctx.helperPath,
      verb: 'update',
      args: ['--dir', ctx.paths.container(id).dir],
    });
  } catch (error) {
    const { state } = viewContainer(ctx, record);
    if (state !== 'running' && state !== 'paused') return undefined;
    throw cannotUpdate(id, error);
  }
}

async function restoreCgroup(
  ctx: EngineContext,
  { id }: ContainerRecord,
  { before }: UpdateResult,
): Promise<void> {
  await runTreeVerb<UpdateResult>({
    helperPath: ctx.helperPath,
    verb: 'update',
    args: ['--dir', ctx.paths.container(id).dir, '--restore', 'yes'],
    input: Readable.from([Buffer.from(JSON.stringify(before))]),
  });
}

function cannotUpdate(id: string, error: unknown): unknown {
  if (!(error instanceof TsrunError)) return error;
  const { code, step, errno, subject } = error;
  return new TsrunError(code, `Cannot update container ${id}: ${error.message}`, {
    step,
    errno,
    subject,
    hint: errno === 'EBUSY' ? 'the container uses more than that now' : error.hint,
    cause: error,
  });
}
