/** `events --filter`: same key = or, different keys = and; only `label` wants all of its values. Pure. */
import { checkFilters, type Filters, matchesLabels } from '../intent/filters.js';
import type { EngineEvent } from '../types/engine.js';

const KEYS = ['container', 'event', 'image', 'label', 'type', 'volume', 'network', 'scope', 'daemon'];

/** @throws TsrunError USAGE for a filter that does not exist. */
export function eventFilter(filters: Filters = {}): (event: EngineEvent) => boolean {
  checkFilters(filters, KEYS);
  const tests = Object.entries(filters).map(([key, values]) => {
    if (key === 'label') return (event: EngineEvent) => matchesLabels(event.Actor.Attributes, values);
    return (event: EngineEvent) => values.some((value) => matches(event, key, value));
  });
  return (event) => tests.every((test) => test(event));
}

function matches(event: EngineEvent, key: string, value: string): boolean {
  const { Type, Action, Actor } = event;
  switch (key) {
    case 'event':
      // "exec_create: sh" and "health_status: healthy" answer to their first word, too.
      return Action === value || Action.split(':')[0] === value;
    case 'type':
      return Type === value;
    case 'scope':
      return event.scope === value;
    case 'image':
      return imageMatches(event, value);
    case 'container':
    case 'volume':
    case 'network':
      return Type === key && (Actor.ID.startsWith(value) || Actor.Attributes.name === value);
    default:
      return Type === key;
  }
}

/** An event of the image, or of a container that was made from it; with its tag or without. */
function imageMatches({ Type, Actor }: EngineEvent, value: string): boolean {
  const { image, name } = Actor.Attributes;
  const names = Type === 'image' ? [Actor.ID, name] : Type === 'container' ? [image] : [];
  return names.some((known) => known !== undefined && (known === value || withoutTag(known) === value));
}

function withoutTag(reference: string): string {
  const colon = reference.lastIndexOf(':');
  return colon > reference.lastIndexOf('/') ? reference.slice(0, colon) : reference;
}
