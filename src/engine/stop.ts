/** `stop`, `restart`, `pause` and `unpause`. */
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { TsrunError } from '../errors.js';
import { parseSignal } from '../intent/signal.js';
import type { LaunchSpec } from '../native/launch.js';
import type { ContainerRecord } from '../store/containers.js';
import type { StopOptions } from '../types/engine.js';
import type { EngineContext } from './context.js';
import { recordContainerEvent } from './journal.js';
import { connectMonitor, isAlive, monitorGone } from './monitor.js';
import { withPrefix } from './prefix.js';
import { recover } from './recover.js';
import { resolveContainer } from './resolve.js';
import { start } from './start.js';
import { viewContainer } from './view.js';

const DEFAULT_TIMEOUT = 10;
/** A killed container is gone at once; what takes time is its ledger. */
const KILL_LIMIT_MS = 15_000;

/** Ends a container and its restart policy; one that does not run is a success. */
export async function stop(ctx: EngineContext, text: string, options: StopOptions = {}): Promise<void> {
  await stopRecord(ctx, resolveContainer(ctx.paths, text), options);
}

/** One that does not run is only started. */
export async function restart(ctx: EngineContext, text: string, options: StopOptions = {}): Promise<void> {
  const record = resolveContainer(ctx.paths, text);
  await withPrefix(`Cannot restart container ${text}: `, async () => {
    // One of --rm is removed when it has ended for good, not between this end and this start.
    await stopRecord(ctx, record, { ...options, keep: true });
    await start(ctx, record.id);
  });
  recordContainerEvent(ctx, record, 'restart');
}

async function stopRecord(
  ctx: EngineContext,
  record: ContainerRecord,
  { keep = false, ...options }: StopOptions & { keep?: boolean },
): Promise<void> {
  const { id } = record;
  if (!isAlive(ctx, id)) return recover(ctx, id);
  const { signal, seconds } = settingsOf(ctx, record, options);
  await ask(ctx, record, signal, keep);
  if (await monitorGone(ctx, id, seconds < 0 ? Infinity : seconds * 1000)) return recover(ctx, id);
  await ask(ctx, record, constants.signals.SIGKILL, keep);
  if (await monitorGone(ctx, id, KILL_LIMIT_MS)) return recover(ctx, id);
  throw new TsrunError('HELPER', `cannot stop container: ${record.name}: its monitor does not end`, {
    step: 'container.stop',
    subject: id,
    hint: 'a process of the container may hang in the kernel (state D), e.g. on a dead network file system',
  });
}

function settingsOf(
  ctx: EngineContext,
  record: ContainerRecord,
  options: StopOptions,
): { signal: number; seconds: number } {
  const launch = JSON.parse(readFileSync(ctx.paths.container(record.id).launch, 'utf8')) as LaunchSpec;
  const own = launch.stopSignal ?? parseSignal(record.config.StopSignal || 'TERM');
  return {
    signal: options.signal ?? own,
    seconds: options.timeout ?? launch.stopTimeout ?? DEFAULT_TIMEOUT,
  };
}

/** Until it is heard, or nobody is left to hear it: a run that ends just then may be followed by another. */
async function ask(
  ctx: EngineContext,
  { id }: ContainerRecord,
  signal: number,
  keep: boolean,
): Promise<void> {
  for (;;) {
    const client = await connectMonitor(ctx, id);
    if (client === undefined) return;
    try {
      return await client.stop(signal, { keep });
    } catch (error) {
      if (!(error instanceof TsrunError)) throw error;
      if (error.errno === 'ESRCH') return;
      if (error.code !== 'NOT_RUNNING') throw error;
    } finally {
      client.detach();
    }
  }
}

export async function pause(ctx: EngineContext, text: string): Promise<void> {
  const record = resolveContainer(ctx.paths, text);
  const { state } = viewContainer(ctx, record);
  if (state === 'paused') throw refused(`Container ${record.id} is already paused`, text);
  if (state === 'restarting')
    throw refused(`Container ${record.id} is restarting, wait until the container is running`, text);
  if (state !== 'running') throw notRunning(record, text);
  const client = await connectMonitor(ctx, record.id);
  if (client === undefined) throw notRunning(record, text);
  await client.freeze({ hold: false }).finally(() => client.detach());
}

export async function unpause(ctx: EngineContext, text: string): Promise<void> {
  const record = resolveContainer(ctx.paths, text);
  if (viewContainer(ctx, record).state !== 'paused')
    throw refused(`Container ${record.id} is not paused`, text);
  const client = await connectMonitor(ctx, record.id);
  if (client === undefined) throw notRunning(record, text);
  await client.thaw().finally(() => client.detach());
}

function refused(message: string, subject: string): TsrunError {
  return new TsrunError('CONFLICT', message, { subject });
}

function notRunning(record: ContainerRecord, subject: string): TsrunError {
  return new TsrunError('NOT_RUNNING', `Container ${record.id} is not running`, { subject });
}
