/** The log of a container: Docker's json-file format, rotated by the monitor (log, log.1, log.2, … from new to old). */
import { closeSync, fstatSync, readSync, statSync, watch } from 'node:fs';
import { TsrunError } from '../errors.js';
import type { LogEntry, LogsOptions } from '../types/engine.js';
import type { ContainerId } from '../types/ids.js';
import type { EngineContext } from './context.js';
import { connectMonitor } from './monitor.js';
import { openIfThere } from './read-file.js';
import { resolveContainer } from './resolve.js';

const CHUNK = 64 * 1024;
const NEWLINE = 0x0a;

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

/** Reads whole lines of the log across its rotations, from the last `tail` ones on. */
export class LogReader {
  #files: number[];
  #offset = 0;
  #rest: Buffer = Buffer.alloc(0);

  constructor(
    private readonly path: string,
    tail: number | undefined,
  ) {
    this.#files = openAll(path);
    if (tail !== undefined) this.#seekTail(tail);
  }

  /** The lines that are complete by now, old to new. Call it again after the file has grown. */
  *lines(): Generator<string> {
    const buffer = Buffer.alloc(CHUNK);
    for (;;) {
      const fd = this.#files[0];
      if (fd === undefined) {
        if (!this.#openCurrent()) return;
        continue;
      }
      const count = readSync(fd, buffer, 0, CHUNK, this.#offset);
      if (count > 0) {
        this.#offset += count;
        yield* this.#cut(buffer.subarray(0, count));
      } else if (!this.#next(fd)) return;
    }
  }

  close(): void {
    for (const fd of this.#files.splice(0)) closeSync(fd);
  }

  *#cut(chunk: Buffer): Generator<string> {
    let data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (let end = data.indexOf(NEWLINE); end >= 0; end = data.indexOf(NEWLINE)) {
      yield data.toString('utf8', 0, end);
      data = data.subarray(end + 1);
    }
    this.#rest = Buffer.from(data);
  }

  /** At the end of `fd`: goes on to the newer file, if there is one. */
  #next(fd: number): boolean {
    if (this.#files.length === 1) {
      const { ino } = fstatSync(fd);
      const current = statSync(this.path, { throwIfNoEntry: false });
      if (current === undefined || current.ino === ino) return false;
      // It was rotated away while it was read; what was appended before that is still to be read.
      if (fstatSync(fd).size > this.#offset) return true;
      this.#files.push(...openNewer(this.path, ino));
    }
    closeSync(fd);
    this.#files.shift();
    this.#offset = 0;
    this.#rest = Buffer.alloc(0);
    return this.#files.length > 0;
  }

  #openCurrent(): boolean {
    this.#files.push(...openAll(this.path));
    return this.#files.length > 0;
  }

  /** Finds where the last `count` lines begin, reading backwards from the end. */
  #seekTail(count: number): void {
    let wanted = count;
    for (let i = this.#files.length - 1; i >= 0; i--) {
      const fd = this.#files[i];
      if (fd === undefined) continue;
      const found = lineStart(fd, wanted);
      if (found.missing > 0 && i > 0) {
        wanted = found.missing;
        continue;
      }
      for (const older of this.#files.splice(0, i)) closeSync(older);
      this.#offset = found.offset;
      return;
    }
  }
}

/** Offset at which the last `count` lines of the file begin, and how many it is short of. */
function lineStart(fd: number, count: number): { offset: number; missing: number } {
  const { size } = fstatSync(fd);
  if (count === 0 || size === 0) return { offset: size, missing: count };
  const buffer = Buffer.alloc(CHUNK);
  let missing = count;
  for (let end = size; end > 0; end = Math.max(0, end - CHUNK)) {
    const begin = Math.max(0, end - CHUNK);
    readSync(fd, buffer, 0, end - begin, begin);
    for (let at = end - 1; at >= begin; at--) {
      // The newline at the very end begins no line.
      if (buffer[at - begin] !== NEWLINE || at === size - 1) continue;
      missing--;
      if (missing === 0) return { offset: at + 1, missing };
    }
  }
  return { offset: 0, missing: missing - 1 };
}

/** The log's files, old to new. */
function openAll(path: string): number[] {
  const files: number[] = [];
  for (let i = 0; ; i++) {
    const fd = openIfThere(i === 0 ? path : `${path}.${i}`);
    if (fd === undefined) return files;
    files.unshift(fd);
  }
}

/** The files that are newer than the one with this inode; all, when that one has been rotated out of existence. */
function openNewer(path: string, ino: number): number[] {
  const files = openAll(path);
  const mine = files.findIndex((fd) => fstatSync(fd).ino === ino);
  for (const older of files.splice(0, mine + 1)) closeSync(older);
  return files;
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
