/** Sizes and times in Docker's words. */
import { humanDuration } from '../../src/intent/duration.js';

/** The value with `digits` significant digits, without trailing zeros. */
function significant(value: number, digits: number): string {
  return String(Number(value.toPrecision(digits)));
}

function scaled(bytes: number, base: number, units: readonly string[], digits: number): string {
  let value = bytes;
  let unit = 0;
  // Compared after rounding, so that 999.9kB becomes 1MB and not 1000kB.
  while (unit < units.length - 1 && Number(value.toPrecision(digits)) >= base) {
    value /= base;
    unit += 1;
  }
  return significant(value, digits) + units[unit];
}

/** Decimal: 2.28MB, 200kB, 0B. */
export function humanSize(bytes: number, digits = 3): string {
  return scaled(bytes, 1000, ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB'], digits);
}

/** Binary: 23.54GiB. */
export function binarySize(bytes: number, digits = 4): string {
  return scaled(bytes, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB', 'ZiB', 'YiB'], digits);
}

/** "3 weeks ago"; N/A for a time nobody set. */
export function humanAge(time: string | undefined, now: number): string {
  const at = time === undefined ? Number.NaN : Date.parse(time);
  if (Number.isNaN(at) || at <= 0) return 'N/A';
  return `${humanDuration(now - at)} ago`;
}

function offsetOf(date: Date): string {
  const minutes = -date.getTimezoneOffset();
  const two = (n: number) => String(n).padStart(2, '0');
  return `${minutes < 0 ? '-' : '+'}${two(Math.trunc(Math.abs(minutes) / 60))}${two(Math.abs(minutes) % 60)}`;
}

function localParts(date: Date): { day: string; clock: string } {
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString();
  return { day: local.slice(0, 10), clock: local.slice(11, 19) };
}

/** Go's time.String() of a whole second in local time: "2026-11-24 08:00:00 +0000 UTC". */
export function goTime(time: string): string {
  const date = new Date(time);
  const { day, clock } = localParts(date);
  return `${day} ${clock} ${offsetOf(date)} ${zoneName(date)}`;
}

function zoneName(date: Date): string {
  const offset = offsetOf(date);
  if (offset === '+0000') return 'UTC';
  const parts = new Intl.DateTimeFormat('en-US', { timeZoneName: 'short' }).formatToParts(date);
  const name = parts.find((part) => part.type === 'timeZoneName')?.value ?? offset;
  return name.startsWith('GMT') ? offset.replace(/00$/, '') : name;
}

/** RFC 3339 in local time, whole seconds: "2026-11-24T08:00:00Z". */
export function localRfc3339(time: string): string {
  const date = new Date(time);
  const { day, clock } = localParts(date);
  const offset = offsetOf(date);
  return `${day}T${clock}${offset === '+0000' ? 'Z' : `${offset.slice(0, 3)}:${offset.slice(3)}`}`;
}
