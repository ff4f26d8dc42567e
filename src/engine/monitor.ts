/** Finding, asking and outliving a container's monitor. Whether one lives is asked of the kernel: lock byte 0. */
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { errnoOf, TsrunError } from '../errors.js';
import { probeAlive, readExit } from '../store/containers.js';
import type { ContainerId } from '../types/ids.js';
import { MonitorClient } from './attach.js';
import type { EngineContext } from './context.js';
import { recover } from './recover.js';
import { endedCode } from './start-failure.js';

const FIRST_PAUSE_MS = 2;
const LONGEST_PAUSE_MS = 50;

export function isAlive(ctx: EngineContext, id: ContainerId): boolean {
  return probeAlive(ctx.native, ctx.paths, [id])[0] === true;
}

/**
 * A connection to the monitor, or undefined when the container has none. A monitor that lives but does not listen is
 * just starting or just ending: it is waited for.
 */
export async function connectMonitor(
  ctx: EngineContext,
  id: ContainerId,
  want = 0,
): Promise<MonitorClient | undefined> {
  const { sock } = ctx.paths.container(id);
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    const fd = tryConnect(ctx, sock);
    if (fd !== undefined) return new MonitorClient({ fd, want, onLost: () => exitCodeOfEnded(ctx, id) });
    if (!isAlive(ctx, id)) return undefined;
    await delay(pause);
  }
}

function tryConnect(ctx: EngineContext, sock: string): number | undefined {
  try {
    return ctx.native.connectUnix(sock);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ECONNREFUSED' || errno === 'EAGAIN') return undefined;
    throw error;
  }
}

/** Resolves when the monitor has gone, or with false after `limitMs`. */
export async function monitorGone(ctx: EngineContext, id: ContainerId, limitMs = Infinity): Promise<boolean> {
  const end = performance.now() + limitMs;
  for (let pause = FIRST_PAUSE_MS; isAlive(ctx, id); pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    if (performance.now() > end) return false;
    await delay(pause);
  }
  return true;
}

/** What a run ends with whose monitor died: its process was killed with it. */
const KILLED = 137;

/** Exit code of a container whose monitor has gone (or is going); cleans up first if it died. 0 if it never ran. */
export async function exitCodeOfEnded(ctx: EngineContext, id: ContainerId): Promise<number> {
  await monitorGone(ctx, id);
  await recover(ctx, id);
  const at = ctx.paths.container(id);
  // One that removes itself tells its clients before it ends: who was not told saw it die.
  return existsSync(at.dir) ? endedCode(readExit(at)) : KILLED;
}

/** Sends a signal number to PID 1 of a running container. @throws TsrunError NOT_RUNNING. */
export async function signalMonitor(ctx: EngineContext, id: ContainerId, signal: number): Promise<void> {
  const client = await connectMonitor(ctx, id);
  if (client === undefined)
    throw new TsrunError('NOT_RUNNING', `Container ${id} is not running`, { subject: id });
  try {
    await client.signal(signal);
  } finally {
    client.detach();
  }
}
