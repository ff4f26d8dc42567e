/** The flags that stop and restart share. */
import { parseSignal } from '../../src/intent/signal.js';
import type { StopOptions } from '../../src/types/engine.js';
import type { Flag, FlagValues } from '../flags.js';

export const STOP_FLAGS = [
  { name: 'timeout', short: 't', kind: 'int', help: 'Seconds to wait before killing it (-1: no limit)' },
  { name: 'time', kind: 'int', help: 'Same as --timeout', hidden: true },
  { name: 'signal', short: 's', kind: 'string', help: 'Signal to send' },
] as const satisfies readonly Flag[];

export function stopOptions(flags: FlagValues<typeof STOP_FLAGS>): StopOptions {
  return {
    timeout: flags.timeout ?? flags.time,
    signal: flags.signal ? parseSignal(flags.signal) : undefined,
  };
}
