/** Sizes as Docker prints and reads them. */
import { usage } from './usage.js';

const DECIMAL = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB'];
const BINARY = 'bkmgtp';

/** Decimal units, `digits` significant digits: 2.28MB, 200kB, 0B. */
export function formatSize(bytes: number, digits = 3): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < DECIMAL.length - 1) {
    value /= 1000;
    unit += 1;
  }
  // Number() drops trailing zeroes and the exponent that toPrecision makes of 1000.
  return `${Number(value.toPrecision(Math.max(digits, 1)))}${DECIMAL[unit]}`;
}

/** "64m", "1.5GiB", "100" (bytes) -> bytes, in powers of 1024. */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?) ?([a-zA-Z]*)$/.exec(text);
  if (!match) throw usage(`invalid size: '${text}'`, text);
  const [, number, suffix = ''] = match;
  const unit = suffix.toLowerCase();
  const power = unit === '' ? 0 : BINARY.indexOf(unit.charAt(0));
  if (power < 0 || !/^(b|[kmgtp](i?b)?)?$/.test(unit)) throw usage(`invalid suffix: '${unit}'`, text);
  return Math.floor(Number(number) * 1024 ** power);
}
