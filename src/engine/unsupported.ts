/** Flags that are understood and whose effect is not there yet: refused, never accepted in silence. */
import { TsrunError } from '../errors.js';
import type { RunIntent } from '../intent/run.js';

/** @throws TsrunError USAGE naming the flag */
export function refuseUnsupported({ health }: RunIntent): void {
  const flags: [string, boolean][] = [
    ['--health-cmd', health?.Test !== undefined && health.Test[0] !== 'NONE'],
  ];
  for (const [flag, asked] of flags) {
    if (asked)
      throw new TsrunError('USAGE', `${flag} is not supported yet`, { step: 'create', subject: flag });
  }
}
