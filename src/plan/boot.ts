/** Which containers start with the machine. */
import type { ExitRecord, LaunchSpec } from '../native/launch.js';

/**
 * As Docker decides when its daemon starts. `exit` is how the last run ended (that of a machine that went down: 137);
 * without one it has never run, and nobody has asked for it yet. `stopped`: the user ended it.
 */
export function wantsBoot(
  restart: LaunchSpec['restart'],
  exit: ExitRecord | undefined,
  stopped: boolean,
): boolean {
  if (exit?.startedAt === undefined) return false;
  switch (restart?.policy) {
    case 'always':
      return true;
    case 'unless-stopped':
      return !stopped;
    case 'on-failure': {
      const retries = exit.restartCount ?? 0;
      return !stopped && exit.exitCode !== 0 && (restart.maxRetries === 0 || retries < restart.maxRetries);
    }
    default:
      return false;
  }
}
