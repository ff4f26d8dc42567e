/** `update`: its options as texts -> what is asked for. */
import type { UpdateOptions } from '../types/run-options.js';
import { type Limits, parseLimits } from './limits.js';
import { parseRestart, type RestartPolicy } from './restart.js';
import { usage } from './usage.js';

/** @throws TsrunError USAGE in Docker's words */
export function parseUpdate(options: UpdateOptions): { limits: Limits; restart?: RestartPolicy } {
  if (Object.values(options).every((value) => value === undefined))
    throw usage('you must provide one or more flags when using this command');
  return {
    limits: parseLimits(options, { isUpdate: true }),
    ...(options.restart ? { restart: parseRestart(options.restart, false) } : {}),
  };
}
