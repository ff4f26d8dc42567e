/** The check of a container's health: what the user said over what the image says. */
import type { LaunchSpec } from '../native/launch.js';
import type { Healthcheck } from '../types/oci.js';

/** undefined = neither says anything. */
export function mergeHealth(
  user: Healthcheck | undefined,
  image: Healthcheck | undefined,
): Healthcheck | undefined {
  if (user === undefined) return image;
  return { ...image, ...user };
}

const MS = 1e6;
const DEFAULT_SHELL = ['/bin/sh', '-c'];
/** milliseconds */
const INTERVAL = 30_000;
const TIMEOUT = 30_000;
const START_INTERVAL = 5_000;
const RETRIES = 3;

/** undefined = there is nothing to run. An image's zeros mean the defaults. */
export function planHealth(
  check: Healthcheck | undefined,
  shell: readonly string[] | undefined,
): LaunchSpec['health'] {
  const argv = argvOf(check?.Test ?? [], shell?.length ? shell : DEFAULT_SHELL);
  if (check === undefined || argv === undefined) return undefined;
  return {
    argv,
    intervalMs: milliseconds(check.Interval) || INTERVAL,
    timeoutMs: milliseconds(check.Timeout) || TIMEOUT,
    retries: check.Retries && check.Retries > 0 ? check.Retries : RETRIES,
    startPeriodMs: milliseconds(check.StartPeriod),
    startIntervalMs: milliseconds(check.StartInterval) || START_INTERVAL,
  };
}

function argvOf([kind, ...rest]: readonly string[], shell: readonly string[]): string[] | undefined {
  if (rest.length === 0) return undefined;
  if (kind === 'CMD') return rest;
  return kind === 'CMD-SHELL' ? [...shell, rest[0] ?? ''] : undefined;
}

/** An image may hold anything here. */
function milliseconds(nanoseconds: number | undefined): number {
  if (typeof nanoseconds !== 'number' || !(nanoseconds > 0)) return 0;
  return Math.min(Math.max(1, Math.round(nanoseconds / MS)), Number.MAX_SAFE_INTEGER);
}
