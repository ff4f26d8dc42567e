/** `--filter KEY=VALUE`: values of one key are alternatives, different keys must all match. */
import { parseBool } from './bool.js';
import { badFlag, usage } from './usage.js';

export type Filters = Record<string, string[]>;

/** `flag` as the help of the verb has it. */
export function parseFilters(texts: readonly string[], flag = '-f, --filter'): Filters {
  const filters = new Map<string, string[]>();
  for (const text of texts) {
    if (text === '') continue;
    const at = text.indexOf('=');
    if (at < 0) throw badFlag(flag, text, 'bad format of filter (expected name=value)');
    const name = text.slice(0, at).trim().toLowerCase();
    filters.set(name, [...(filters.get(name) ?? []), text.slice(at + 1).trim()]);
  }
  return Object.fromEntries(filters);
}

/** Refuses keys that a verb does not know; `accepted` are its keys. */
export function checkFilters(filters: Filters, accepted: readonly string[]): void {
  for (const key of Object.keys(filters)) {
    if (!accepted.includes(key))
      throw usage(`Invalid filter '${key}'`, key, `known filters: ${accepted.join(', ')}`);
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

/** A filter that is a switch; the last value counts. */
export function truthFilter(key: string, values: readonly string[]): boolean {
  const value = values.at(-1) ?? '';
  const truth = parseBool(value);
  if (truth === undefined) throw usage(`Invalid filter '${key}=[${value}]'`, value);
  return truth;
}

/** `name=`: a regular expression that matches somewhere, or a part as it stands if it is none. */
export function nameMatches(name: string, pattern: string): boolean {
  try {
    return new RegExp(pattern).test(name);
  } catch {
    return name.includes(pattern);
  }
}
