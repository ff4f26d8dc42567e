import { parseTimestamp } from '../../src/intent/duration.js';
import { parseFilters } from '../../src/intent/filters.js';
import type { EngineEvent } from '../../src/types/engine.js';
import { defineCommand } from '../command.js';
import { escapeControls } from '../render/escape.js';
import { asMap, asNamed } from '../render/template/value.js';
import { compileTemplate } from '../render/template.js';
import { localRfc3339 } from '../render/units.js';
import { FILTER } from './listing-flags.js';

/** Length of "2026-01-02T03:04:05". */
const SECOND = 19;
const WORDS = 'Error parsing format: ';

export const command = defineCommand({
  usage: '[OPTIONS]',
  flags: [
    FILTER,
    { name: 'format', kind: 'string', help: "'json' or a Go template" },
    {
      name: 'since',
      kind: 'string',
      help: 'Show events since a time (2026-01-02T13:23:37Z) or a duration ago (42m)',
    },
    { name: 'until', kind: 'string', help: 'Stream events until a time, or a duration ago' },
  ],
  min: 0,
  max: 0,
  examples: [
    ['tsrun events --filter event=die', 'Which containers end, as they do'],
    ['tsrun events --since 1h --until 0s', 'What happened in the last hour'],
  ],
  async run(cli, flags) {
    const render = renderer(flags.format);
    const engine = await cli.engine();
    const now = new Date();
    const stream = engine.events({
      since: flags.since ? parseTimestamp(flags.since, now) : undefined,
      until: flags.until ? parseTimestamp(flags.until, now) : undefined,
      filters: parseFilters(flags.filter),
    });
    for await (const event of stream) cli.out(`${render(event)}\n`);
    return 0;
  },
});

function renderer(format: string | undefined): (event: EngineEvent) => string {
  if (!format) return eventLine;
  // The whole document as it stands in the journal: its nanoseconds are past what a number here can hold.
  if (format === 'json' || /^\{\{\s*json\s+\.\s*\}\}$/.test(format)) return ({ json }) => json;
  const template = compileTemplate(format, { exitCode: 64, words: { parse: WORDS, execute: WORDS } });
  return (event) => template(asNamed(document(event), '*events.Message'));
}

/** Names as the Engine API's library has them. */
function document(event: EngineEvent) {
  return {
    Type: event.Type,
    Action: event.Action,
    Actor: { ID: event.Actor.ID, Attributes: asMap(event.Actor.Attributes) },
    Status: event.status ?? '',
    ID: event.id ?? '',
    From: event.from ?? '',
    Scope: event.scope,
    Time: event.time,
    TimeNano: String(event.timeNano),
  };
}

/** `2026-01-02T03:04:05.000000006Z container start ID (image=busybox, name=x)` */
export function eventLine({ timeNano, Type, Action, Actor }: EngineEvent): string {
  const second = localRfc3339(new Date(Number(timeNano / 1_000_000n)).toISOString());
  const fraction = String(timeNano % 1_000_000_000n).padStart(9, '0');
  const time = `${second.slice(0, SECOND)}.${fraction}${second.slice(SECOND)}`;
  const attributes = Object.keys(Actor.Attributes)
    .sort()
    .map((key) => `${key}=${Actor.Attributes[key]}`);
  const more = attributes.length === 0 ? '' : ` (${attributes.join(', ')})`;
  return escapeControls(`${time} ${Type} ${Action} ${Actor.ID}${more}`);
}
