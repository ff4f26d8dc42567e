/** `--health-*` and `--no-healthcheck`. */
import type { Healthcheck } from '../types/oci.js';
import type { LifeOptions } from '../types/run-options.js';
import { parseDuration } from './duration.js';
import { badFlag, flagError, usage } from './usage.js';

/** nanoseconds */
const MIN_DURATION = 1e6;

/** What the user says about the check; what is absent is the image's. undefined = nothing was said. */
export function parseHealth(options: LifeOptions): Healthcheck | undefined {
  const times = {
    Interval: duration('interval', options.healthInterval),
    Timeout: duration('timeout', options.healthTimeout),
    StartPeriod: duration('start-period', options.healthStartPeriod),
    StartInterval: duration('start-interval', options.healthStartInterval),
    Retries: options.healthRetries || undefined,
  };
  const given = Object.fromEntries(Object.entries(times).filter(([, value]) => value !== undefined));
  const hasSettings = Object.keys(given).length > 0 || Boolean(options.healthCmd);
  if (options.noHealthcheck) {
    if (hasSettings) throw flagError('--no-healthcheck conflicts with --health-* options');
    return { Test: ['NONE'] };
  }
  if (!hasSettings) return undefined;
  for (const [name, value] of Object.entries(given)) {
    if (Number(value) < 0) throw flagError(`--health-${flagName(name)} cannot be negative`);
  }
  for (const [name, value] of Object.entries(given)) {
    if (name !== 'Retries' && Number(value) < MIN_DURATION) {
      throw usage(`${name} in Healthcheck cannot be less than 1ms`);
    }
  }
  return { ...(options.healthCmd ? { Test: ['CMD-SHELL', options.healthCmd] } : {}), ...given };
}

/** StartPeriod -> start-period */
function flagName(field: string): string {
  return field.replace(/(?!^)[A-Z]/g, '-$&').toLowerCase();
}

function duration(name: string, text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  try {
    return parseDuration(text) || undefined;
  } catch (error) {
    throw badFlag(`--health-${name}`, text, error instanceof Error ? error.message : String(error));
  }
}
