/** The log of a container: Docker's json-file format, as the monitor writes it. */
import { watch } from 'node:fs';
import { TsrunError } from '../errors.js';
import type { LogEntry, LogsOptions } from '../types/engine.js';
import type { ContainerId } from '../types/ids.js';
import type { EngineContext } from './context.js';
import { LogReader } from './log-reader.js';
import { connectMonitor } from './monitor.js';
import { resolveContainer } from './resolve.js';

/** Entries from old to new; with `follow` until the container ends, its last bytes included. */
export async function* logs(
  ctx: EngineContext,
  text: string,
  options: LogsOptions = {},
): AsyncGenerator<LogEntry> {
  const { id, hostConfig } = resolveContainer(ctx.paths, text);
  if ((hostConfig.LogConfig as { Type?: unknown } | undefined)?.Type === 'none')
    throw new TsrunError('USAGE', 'configured logging driver does not support reading', { subject: text });
  const { log } = ctx.paths.container(id);
  const follower = options.follow === true ? await Follower.start(ctx, id, options.signal) : undefined;
  const reader = new LogReader(log, options.tail);
  try {
    for (;;) {
      // Whether the container has ended is asked before the last look: what it wrote until then is seen by that look.
      const last = follower === undefined || follower.ended;
      for (const line of reader.lines()) {
        const entry = parseEntry(line);
        if (entry === undefined || isBefore(entry.time, options.since)) continue;
        if (isAfter(entry.time, options.until)) return;
        yield entry;
        if (options.signal?.aborted === true) return;
      }
      if (last || options.signal?.aborted === true) return;
      await follower?.change();
    }
  } finally {
    follower?.stop();
    reader.close();
  }
}

function isBefore(time: string, since: Date | undefined): boolean {
  return since !== undefined && Date.parse(time) < since.getTime();
}

function isAfter(time: string, until: Date | undefined): boolean {
  return until !== undefined && Date.parse(time) > until.getTime();
}

/** One line of the file; undefined for one that a power cut tore. */
export function parseEntry(line: string): LogEntry | undefined {
  try {
    const { log, stream, time } = JSON.parse(line) as { log?: unknown; stream?: unknown; time?: unknown };
    if (typeof log !== 'string' || typeof time !== 'string') return undefined;
    return { stream: stream === 'stderr' ? 'stderr' : 'stdout', time, line: Buffer.from(log, 'utf8') };
  } catch {
    return undefined;
  }
}

/** Wakes a reader when the log has grown, and knows when the container has ended. */
class Follower {
  ended = false;
  #changed = false;
  #wake: (() => void) | undefined;
  #cleanups: (() => void)[] = [];

  static async start(
    ctx: EngineContext,
    id: ContainerId,
    signal: AbortSignal | undefined,
  ): Promise<Follower> {
    const follower = new Follower();
    const { dir } = ctx.paths.container(id);
    const watcher = watch(dir, { persistent: true }, () => follower.#notify());
    watcher.on('error', () => follower.#notify());
    follower.#cleanups.push(() => watcher.close());
    const abort = (): void => follower.#end();
    signal?.addEventListener('abort', abort, { once: true });
    follower.#cleanups.push(() => signal?.removeEventListener('abort', abort));
    const client = await connectMonitor(ctx, id);
    if (client === undefined) follower.ended = true;
    else {
      follower.#cleanups.push(() => client.detach());
      client.exit.then(abort, abort);
    }
    return follower;
  }

  /** Resolves at the next change, or at once if there was one since the last call. */
  async change(): Promise<void> {
    if (!this.#changed && !this.ended)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    this.#changed = false;
  }

  stop(): void {
    for (const cleanup of this.#cleanups.splice(0)) cleanup();
  }

  #notify(): void {
    this.#changed = true;
    this.#wake?.();
  }

  #end(): void {
    this.ended = true;
    this.#notify();
  }
}
