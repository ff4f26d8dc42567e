/** The environment of the process, in Docker's order. */
import type { EnvChange } from '../intent/env.js';
import { DEFAULT_PATH } from './profile.js';

export interface PlannedEnv {
  /** The user's variables, then those of the image that the user did not touch: `Config.Env`. */
  config: string[];
  /** What the process gets: PATH, HOSTNAME and TERM first. HOME is added by the helper, which knows the user. */
  process: string[];
}

export function planEnv(
  changes: readonly EnvChange[],
  image: readonly string[],
  defaults: { hostname: string; tty: boolean },
): PlannedEnv {
  // undefined = taken away. A Map keeps the place of the first mention and the value of the last.
  const user = new Map<string, string | undefined>();
  for (const change of changes) {
    if ('remove' in change) user.set(change.remove, undefined);
    else user.set(change.name, change.value);
  }
  const config = new Map<string, string>();
  for (const [name, value] of user) if (value !== undefined) config.set(name, value);
  for (const entry of image) {
    const at = entry.indexOf('=');
    const name = entry.slice(0, at);
    if (at > 0 && !user.has(name)) config.set(name, entry.slice(at + 1));
  }
  const process = new Map([
    ['PATH', DEFAULT_PATH],
    ['HOSTNAME', defaults.hostname],
    ...(defaults.tty ? ([['TERM', 'xterm']] as const) : []),
  ]);
  for (const [name, value] of user) if (value === undefined) process.delete(name);
  for (const [name, value] of config) process.set(name, value);
  return { config: entries(config), process: entries(process) };
}

function entries(variables: Map<string, string>): string[] {
  return [...variables].map(([name, value]) => `${name}=${value}`);
}
