/** Points in time and spans of it: `--since`, HEALTHCHECK intervals, and the spoken forms of `ps` and `images`. */
import { usage } from './usage.js';

/** nanoseconds per unit */
const UNITS: Record<string, number> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** A Go duration ("1h30m", "1.5s", "-2m", "0") in nanoseconds. */
export function parseDuration(text: string): number {
  const sign = text.startsWith('-') ? -1 : 1;
  let rest = text.replace(/^[+-]/, '');
  if (rest === '0') return 0;
  if (rest === '') throw badDuration(text);
  let total = 0;
  while (rest !== '') {
    const [whole = '', number = '', unit = ''] = /^([\d.]+)([^\d.]*)/.exec(rest) ?? [];
    if (!/^(\d+\.?\d*|\.\d+)$/.test(number)) throw badDuration(text);
    if (unit === '') throw usage(`time: missing unit in duration "${text}"`, text);
    const scale = UNITS[unit];
    if (scale === undefined) throw usage(`time: unknown unit "${unit}" in duration "${text}"`, text);
    total += Number(number) * scale;
    rest = rest.slice(whole.length);
  }
  return sign * Math.trunc(total);
}

function badDuration(text: string): Error {
  return usage(`time: invalid duration "${text}"`, text);
}

const DATE = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d+))?)?)?)?(Z|[+-]\d\d:\d\d)?$/;

/**
 * `--since` and `--until`: a duration before `now`, a date and time (RFC 3339 or cut short; without a zone in local
 * time), or seconds since 1970 with a fraction. `flag` names the flag in errors, where Docker does.
 */
export function parseTimestamp(text: string, now: Date, flag?: string): Date {
  const date = DATE.exec(text);
  if (date) return fromDate(text, date, flag);
  if (/^-?\d+(\.\d+)?$/.test(text)) return new Date(Number(text) * 1000);
  try {
    return new Date(now.getTime() - parseDuration(text) / 1e6);
  } catch (cause) {
    throw usage(
      `${prefixOf(flag)}failed to parse value as time or duration: "${text}"`,
      text,
      cause instanceof Error ? cause.message : undefined,
    );
  }
}

function fromDate(text: string, match: RegExpExecArray, flag?: string): Date {
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = '0', zone = ''] = match;
  // A date alone is UTC for Date.parse: the time makes it local when there is no zone.
  const date = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction.slice(0, 3)}${zone}`);
  const sane = Number(day) <= new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  if (sane && !Number.isNaN(date.getTime())) return date;
  const part = Number(month) < 1 || Number(month) > 12 ? 'month' : sane ? 'time' : 'day';
  throw usage(`${prefixOf(flag)}parsing time "${text}": ${part} out of range`, text);
}

function prefixOf(flag: string | undefined): string {
  return flag === undefined ? '' : `invalid value for "${flag}": `;
}

/** "Less than a second", "5 seconds", "About a minute", "3 weeks". */
export function humanDuration(milliseconds: number): string {
  const seconds = Math.trunc(milliseconds / 1000);
  if (seconds < 1) return 'Less than a second';
  if (seconds === 1) return '1 second';
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.trunc(seconds / 60);
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.trunc(milliseconds / 3600e3 + 0.5);
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 14) return `${Math.trunc(hours / 24)} days`;
  if (hours < 24 * 60) return `${Math.trunc(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.trunc(hours / 24 / 30)} months`;
  return `${Math.trunc(milliseconds / 3600e3 / 24 / 365)} years`;
}
