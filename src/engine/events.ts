/** `events`: the journal from a point in time on, and what comes. Nobody is asked: the file is read as it grows. */
import { closeSync, fstatSync, openSync, readSync, watch } from 'node:fs';
import type { EngineEvent, EventsOptions } from '../types/engine.js';
import type { EngineContext } from './context.js';
import { eventFilter } from './event-filters.js';

const CHUNK = 64 * 1024;
/** Longest wait of a timer in Node; a later `until` is waited for in pieces. */
const LONGEST_WAIT_MS = 0x7fffffff;

/**
 * Events as they are appended, until `until` or `signal`. What happened before now comes only with `since` or `until`.
 * @throws TsrunError USAGE for a filter that does not exist.
 */
export async function* events(ctx: EngineContext, options: EventsOptions = {}): AsyncGenerator<EngineEvent> {
  const { since, until, signal } = options;
  const accepts = eventFilter(options.filters);
  const within = ({ timeNano }: EngineEvent) =>
    (since === undefined || timeNano >= nanoseconds(since)) &&
    (until === undefined || timeNano <= nanoseconds(until));
  // Made if it is missing: there must be something to watch.
  const fd = openSync(ctx.paths.events, 'a+', 0o600);
  const change = new Change(ctx.paths.events, signal);
  try {
    const lines = new Lines(fd, since === undefined && until === undefined ? fstatSync(fd).size : 0);
    while (signal?.aborted !== true) {
      // Asked before the read: what is appended after the last read is past `until` then.
      const over = until !== undefined && Date.now() >= until.getTime();
      for (const line of lines.read()) {
        const event = parseEvent(line);
        if (event !== undefined && within(event) && accepts(event)) yield event;
      }
      if (over) return;
      await change.next(until === undefined ? LONGEST_WAIT_MS : until.getTime() - Date.now());
    }
  } finally {
    change.stop();
    closeSync(fd);
  }
}

function nanoseconds(time: Date): bigint {
  return BigInt(time.getTime()) * 1_000_000n;
}

/** A line of the journal; undefined for one that a crash tore. */
export function parseEvent(json: string): EngineEvent | undefined {
  // JSON.parse would round it: it is past 2^53.
  const [, timeNano] = /"timeNano":(\d+)\}$/.exec(json) ?? [];
  if (timeNano === undefined) return undefined;
  try {
    return { ...(JSON.parse(json) as EngineEvent), timeNano: BigInt(timeNano), json };
  } catch {
    return undefined;
  }
}

/** Whole lines of a file that grows. */
class Lines {
  #rest = Buffer.alloc(0);
  readonly #buffer = Buffer.alloc(CHUNK);

  constructor(
    private readonly fd: number,
    private offset: number,
  ) {}

  *read(): Generator<string> {
    for (;;) {
      const count = readSync(this.fd, this.#buffer, 0, CHUNK, this.offset);
      if (count === 0) return;
      this.offset += count;
      let data = Buffer.concat([this.#rest, this.#buffer.subarray(0, count)]);
      for (let end = data.indexOf(10); end >= 0; end = data.indexOf(10)) {
        yield data.toString('utf8', 0, end);
        data = data.subarray(end + 1);
      }
      this.#rest = Buffer.from(data);
    }
  }
}

/** Wakes a reader when the file has changed since it last asked. */
class Change {
  #changed = false;
  #wake: (() => void) | undefined;
  readonly #cleanups: (() => void)[] = [];

  constructor(path: string, signal: AbortSignal | undefined) {
    const notify = (): void => {
      this.#changed = true;
      this.#wake?.();
    };
    const watcher = watch(path, notify);
    watcher.on('error', notify);
    signal?.addEventListener('abort', notify, { once: true });
    this.#cleanups.push(
      () => watcher.close(),
      () => signal?.removeEventListener('abort', notify),
    );
  }

  async next(limitMs: number): Promise<void> {
    if (!this.#changed && limitMs > 0) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        timer = setTimeout(resolve, Math.min(limitMs, LONGEST_WAIT_MS));
      });
      clearTimeout(timer);
    }
    this.#changed = false;
  }

  stop(): void {
    for (const cleanup of this.#cleanups) cleanup();
  }
}
