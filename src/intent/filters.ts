/** `--filter KEY=VALUE`: values of one key are alternatives, different keys must all match. */
import { badFlag, usage } from './usage.js';

export type Filters = Record<string, string[]>;

export function parseFilters(texts: readonly string[]): Filters {
  const filters = new Map<string, string[]>();
  for (const text of texts) {
    if (text === '') continue;
    const at = text.indexOf('=');
    if (at < 0) throw badFlag('-f, --filter', text, 'bad format of filter (expected name=value)');
    const name = text.slice(0, at).trim().toLowerCase();
    filters.set(name, [...(filters.get(name) ?? []), text.slice(at + 1).trim()]);
  }
  return Object.fromEntries(filters);
}

/** Refuses keys that a verb does not know; `accepted` are its keys. */
export function checkFilters(filters: Filters, accepted: readonly string[]): void {
  for (const key of Object.keys(filters)) {
    if (!accepted.includes(key))
      throw usage(`invalid filter '${key}'`, key, `known filters: ${accepted.join(', ')}`);
  }
}

/** `label=KEY` or `label=KEY=VALUE`: every one given must match. */
export function matchesLabels(
  labels: Readonly<Record<string, string>>,
  wanted: readonly string[] = [],
): boolean {
  return wanted.every((text) => {
    const at = text.indexOf('=');
    const key = at < 0 ? text : text.slice(0, at);
    return Object.hasOwn(labels, key) && (at < 0 || labels[key] === text.slice(at + 1));
  });
}
