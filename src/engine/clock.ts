import { usage } from '../intent/usage.js';

/** The end of the year 9999: later ones have no RFC 3339 form. */
const LATEST = 253402300799;

/** Now, RFC 3339 in UTC with nine digits: as fine as Node's clocks are, so that what is made in one millisecond has an order. */
export function timestamp(): string {
  const wall = Date.now();
  // The fine clock does not follow corrections of the system's clock: it only refines it.
  const fine = performance.timeOrigin + performance.now();
  const time = Math.abs(fine - wall) < 5 ? fine : wall;
  const whole = Math.floor(time);
  const micros = Math.floor((time - whole) * 1000);
  return `${new Date(whole).toISOString().slice(0, -1)}${String(micros).padStart(3, '0')}000Z`;
}

/**
 * When something is said to have been made: now, or what the user says, in seconds since 1970.
 * @throws TsrunError USAGE for what is no time
 */
export function creationTime(seconds: number | undefined): string {
  if (seconds === undefined) return timestamp();
  if (Number.isSafeInteger(seconds) && seconds >= 0 && seconds <= LATEST)
    return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
  throw usage(`invalid timestamp ${seconds}: seconds since 1970 are needed`);
}
