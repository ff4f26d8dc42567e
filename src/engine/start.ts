/** Steps 4 and 5 of a run: prepare what changes with every start, spawn the monitor, and learn how it went. */
import { closeSync, readFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { TsrunError } from '../errors.js';
import type { LaunchSpec } from '../native/launch.js';
import { ENGINE_VERB, Frame, Want } from '../native/protocol.js';
import { type ContainerRecord, replaceFile } from '../store/containers.js';
import { ensureVolume } from '../store/volumes.js';
import type { Attachment, StartOptions } from '../types/engine.js';
import type { ContainerId } from '../types/ids.js';
import { encodeFrame, MonitorClient } from './attach.js';
import { prepareBindSources } from './bind-source.js';
import { timestamp } from './clock.js';
import { type EngineContext, HELPER_ENV } from './context.js';
import { recordContainerEvent } from './journal.js';
import { withContainerLock } from './lock.js';
import { refuseSharedMemory } from './memory-volumes.js';
import { connectMonitor, exitCodeOfEnded, isAlive, monitorGone } from './monitor.js';
import { refreshNameFiles } from './name-files.js';
import { checkJoins } from './peers.js';
import { recover } from './recover.js';
import { refreshDevices } from './refresh-devices.js';
import { remove } from './remove.js';
import { readReport, type StartOutcome } from './report.js';
import { resolveContainer } from './resolve.js';
import { settleUpdate } from './settle-update.js';
import { helperDied, startFailure } from './start-failure.js';

/** fds of the monitor. */
const REPORT_FD = 3;
const ATTACH_FD = 4;
/** A failed start releases what it had acquired before its monitor ends. */
const UNWIND_LIMIT_MS = 15_000;

/** Starts a container; one that runs already is a success. The attachment is there when `options.attach` asks for streams. */
export async function start(
  ctx: EngineContext,
  text: string,
  options: StartOptions = {},
): Promise<Attachment | undefined> {
  const record = resolveContainer(ctx.paths, text);
  const want = wantOf(options);
  const launched = await withContainerLock(ctx, record.id, async () => {
    if (isAlive(ctx, record.id)) return undefined;
    const refused = await prepare(ctx, record).catch((error: unknown) => ({ error }));
    if (refused !== undefined) return refused;
    if (want !== 0) recordContainerEvent(ctx, record, 'attach');
    if (options.consoleSize !== undefined) setConsoleSize(ctx, record.id, options.consoleSize);
    return launch(ctx, record, want);
  });
  if (launched !== undefined && 'error' in launched) {
    // As after any other start that failed: there is nobody else to remove it.
    if (record.autoRemove) await remove(ctx, record.id, { volumes: true });
    throw launched.error;
  }
  if (launched === undefined) return want === 0 ? undefined : connectMonitor(ctx, record.id, want);
  if (launched.outcome.kind === 'running') return launched.attachment;
  launched.attachment?.detach();
  await unwound(ctx, record.id);
  throw launched.outcome.kind === 'failed'
    ? startFailure(launched.outcome.failure)
    : helperDied(launched.outcome.step);
}

/** What may have changed since the container was made, or last ran. */
async function prepare(ctx: EngineContext, record: ContainerRecord): Promise<undefined> {
  checkJoins(ctx, record);
  await ensureSources(ctx, record);
  await settleUpdate(ctx, record);
  refreshDevices(ctx, record);
  refreshNameFiles(ctx, record);
}

/** What was removed since the container was made (or was not yet made when its maker died) is made again, as Docker does. */
export async function ensureSources(ctx: EngineContext, record: ContainerRecord): Promise<void> {
  prepareBindSources(record);
  refuseSharedMemory(ctx, record);
  for (const { Type, Name } of record.mounts) {
    if (Type === 'volume' && Name !== undefined) {
      const anonymous = record.anonymousVolumes.includes(Name);
      await ensureVolume(ctx, { name: Name, anonymous, now: timestamp() });
    }
  }
}

function wantOf({ attach = {} }: StartOptions): number {
  return (
    (attach.stdout ? Want.stdout : 0) | (attach.stderr ? Want.stderr : 0) | (attach.stdin ? Want.stdin : 0)
  );
}

/** The size must be there before exec: a resize afterwards comes too late for a short program. */
function setConsoleSize(
  ctx: EngineContext,
  id: ContainerId,
  consoleSize: { rows: number; cols: number },
): void {
  const { launch: path } = ctx.paths.container(id);
  const launch = JSON.parse(readFileSync(path, 'utf8')) as LaunchSpec;
  if (launch.consoleSize?.rows === consoleSize.rows && launch.consoleSize.cols === consoleSize.cols) return;
  replaceFile(path, JSON.stringify({ ...launch, consoleSize }), 0o600);
}

interface Launched {
  outcome: StartOutcome;
  attachment?: MonitorClient;
}

async function launch(ctx: EngineContext, record: ContainerRecord, want: number): Promise<Launched> {
  const { id } = record;
  const monitor = spawnMonitor(ctx, id, want);
  const attachment =
    monitor.attach === undefined
      ? undefined
      : new MonitorClient({
          fd: monitor.attach,
          want,
          greeted: true,
          onLost: () => exitCodeOfEnded(ctx, id),
        });
  try {
    const onStep =
      ctx.onTrace && ((step: string, t: number) => ctx.onTrace?.({ step, t, subject: id, source: 'helper' }));
    const outcome = await readReport(monitor.report, onStep);
    await ctx.native.waitPid(monitor.pid);
    return { outcome, attachment };
  } catch (error) {
    attachment?.detach();
    throw error;
  } finally {
    closeSync(monitor.report);
  }
}

/** With `want`, a socket pair carries the streams from the first byte on: its `hello` is there before the helper is. */
function spawnMonitor(
  ctx: EngineContext,
  id: ContainerId,
  want: number,
): { pid: number; report: number; attach: number | undefined } {
  const { native } = ctx;
  const [report, reportWriter] = native.pipe();
  const [attach, attachPeer] = want === 0 ? [undefined, undefined] : native.socketPair();
  const { dir } = ctx.paths.container(id);
  const init = join(dirname(ctx.helperPath), 'tsrun-init');
  const args = [ENGINE_VERB, 'monitor', '--dir', dir, '--report', String(REPORT_FD), '--init', init];
  const fds = [{ child: REPORT_FD, parent: reportWriter }];
  try {
    if (attach !== undefined && attachPeer !== undefined) {
      writeSync(attach, encodeFrame(Frame.hello, Buffer.of(want)));
      args.push('--attach', String(ATTACH_FD));
      fds.push({ child: ATTACH_FD, parent: attachPeer });
    }
    return { pid: native.spawn({ file: ctx.helperPath, args, env: [...HELPER_ENV], fds }), report, attach };
  } catch (error) {
    closeSync(report);
    if (attach !== undefined) closeSync(attach);
    throw error;
  } finally {
    closeSync(reportWriter);
    if (attachPeer !== undefined) closeSync(attachPeer);
  }
}

/** After a failed start nothing of it may be left when the error is told. */
async function unwound(ctx: EngineContext, id: ContainerId): Promise<void> {
  if (!(await monitorGone(ctx, id, UNWIND_LIMIT_MS)))
    throw new TsrunError('HELPER', `the monitor of container ${id} does not end after a failed start`, {
      step: 'container.start',
      subject: id,
    });
  await recover(ctx, id);
}
