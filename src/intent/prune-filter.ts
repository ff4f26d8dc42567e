/** `--filter` of the prune verbs: until=, label=, label!=. */
import { parseTimestamp } from './duration.js';
import { checkFilters, type Filters, matchesLabels } from './filters.js';
import { usage } from './usage.js';

export const PRUNE_FILTERS: readonly string[] = ['label', 'label!', 'until'];

export interface Prunable {
  labels: Readonly<Record<string, string>>;
  /** RFC 3339 */
  created: string;
}

/** What a prune may take. @throws TsrunError USAGE for a filter that is none of `accepted`, or a time that is none */
export function pruneTest(
  filters: Filters,
  now: Date,
  accepted: readonly string[] = PRUNE_FILTERS,
): (what: Prunable) => boolean {
  checkFilters(filters, accepted);
  const { label, until = [] } = filters;
  const kept = filters['label!'] ?? [];
  if (until.length > 1) throw usage('more than one until filter specified', until.join(', '));
  const limit = until[0] === undefined ? Number.POSITIVE_INFINITY : parseTimestamp(until[0], now).getTime();
  return ({ labels, created }) =>
    matchesLabels(labels, label) &&
    !kept.some((text) => matchesLabels(labels, [text])) &&
    (limit === Number.POSITIVE_INFINITY || (new Date(created).getTime() || 0) < limit);
}
