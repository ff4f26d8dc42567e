/** Which keys let go of a container: those of the flag, else those of Docker's configuration, else ctrl-p ctrl-q. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Cli } from './command.js';
import { UsageError } from './usage.js';

/** ctrl-p ctrl-q */
export const DEFAULT_KEYS: readonly number[] = [0x10, 0x11];

/**
 * Single characters, ctrl-<letter or one of @[\\]^_> and DEL, separated by commas, as bytes.
 * @throws UsageError in Docker's words.
 */
export function parseDetachKeys(text: string): number[] {
  return text.split(',').map((key) => {
    const control = /^ctrl-([a-z@[\\\]^_])$/.exec(key)?.[1];
    if (control !== undefined) return control.toUpperCase().charCodeAt(0) - 64;
    if (key === 'DEL') return 127;
    if (key.length === 1 && key.charCodeAt(0) < 128) return key.charCodeAt(0);
    throw new UsageError(`tsrun: Invalid escape keys (${text}) provided`, 1, { usage: false });
  });
}

/** `flag`: as given, if it was. */
export function detachKeys({ env }: Pick<Cli, 'env'>, flag: string | undefined): readonly number[] {
  const text = flag || configured(env);
  return text ? parseDetachKeys(text) : DEFAULT_KEYS;
}

/** `detachKeys` of config.json. A file that cannot be read or understood says nothing here: who needs it for more tells. */
function configured(env: Cli['env']): string | undefined {
  try {
    const dir = env.DOCKER_CONFIG || join(env.HOME || homedir(), '.docker');
    const config: unknown = JSON.parse(readFileSync(join(dir, 'config.json'), 'utf8'));
    const keys = typeof config === 'object' && config !== null && 'detachKeys' in config && config.detachKeys;
    return typeof keys === 'string' ? keys : undefined;
  } catch {
    return undefined;
  }
}
