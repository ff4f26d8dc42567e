/** `events`: the journal from a point in time on, and what comes. Nobody is asked: the file is read as it grows. */
import type { EngineEvent, EventsOptions } from '../types/engine.js';
import type { EngineContext } from './context.js';
import { eventFilter } from './event-filters.js';
import { JournalReader, LONGEST_WAIT_MS } from './journal-reader.js';

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
  const journal = new JournalReader(ctx.paths.events, since !== undefined || until !== undefined, signal);
  try {
    while (signal?.aborted !== true) {
      // Asked before the read: what is appended after the last read is past `until` then.
      const over = until !== undefined && Date.now() >= until.getTime();
      for (const line of journal.read()) {
        const event = parseEvent(line);
        if (event !== undefined && within(event) && accepts(event)) yield event;
      }
      if (over) return;
      await journal.change(until === undefined ? LONGEST_WAIT_MS : until.getTime() - Date.now());
    }
  } finally {
    journal.close();
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
