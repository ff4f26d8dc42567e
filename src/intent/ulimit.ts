/** `--ulimit NAME=SOFT[:HARD]`. */
import { badFlag } from './usage.js';

/** -1 = unlimited, as the Engine API says it. */
export interface Ulimit {
  name: UlimitName;
  soft: number;
  hard: number;
}

export const ULIMIT_NAMES = [
  'core',
  'cpu',
  'data',
  'fsize',
  'locks',
  'memlock',
  'msgqueue',
  'nice',
  'nofile',
  'nproc',
  'rss',
  'rtprio',
  'rttime',
  'sigpending',
  'stack',
] as const;

export type UlimitName = (typeof ULIMIT_NAMES)[number];

/** Sorted by name; of several for one name the last counts. */
export function parseUlimits(texts: readonly string[]): Ulimit[] {
  const limits = new Map(texts.map(parseUlimit).map((limit) => [limit.name, limit]));
  return [...limits.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function parseUlimit(text: string): Ulimit {
  const refuse = (reason: string) => badFlag('--ulimit', text, reason);
  const at = text.indexOf('=');
  if (at < 0) throw refuse(`invalid ulimit argument: ${text}`);
  const type = text.slice(0, at);
  const name = ULIMIT_NAMES.find((known) => known === type);
  if (name === undefined) throw refuse(`invalid ulimit type: ${type}`);
  const values = text.slice(at + 1);
  const parts = values.split(':');
  if (parts.length > 2) {
    throw refuse(`too many limit value arguments - ${values}, can only have up to two, \`soft[:hard]\``);
  }
  const [soft = 0, hard = soft] = parts.map((part) => limitOf(part, refuse));
  if (hard !== -1 && soft === -1) {
    throw refuse(
      `ulimit soft limit must be less than or equal to hard limit: soft: -1 (unlimited), hard: ${hard}`,
    );
  }
  if (hard !== -1 && soft > hard) {
    throw refuse(`ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`);
  }
  return { name, soft, hard };
}

function limitOf(text: string, refuse: (reason: string) => Error): number {
  if (!/^[+-]?\d+$/.test(text)) throw refuse(`strconv.ParseInt: parsing "${text}": invalid syntax`);
  const value = Number(text);
  if (!Number.isSafeInteger(value)) {
    throw refuse(`strconv.ParseInt: parsing "${text}": value out of range`);
  }
  // The kernel would read any other negative number as a huge one.
  if (value < -1) throw refuse(`invalid ulimit value: ${text}: only -1, for unlimited, may be negative`);
  return value;
}
