/** What `exec` runs, from what the user asked and what the container is. Pure. */
import type { EnvChange } from '../intent/env.js';
import type { ExecSpec } from '../native/launch.js';
import { planEnv } from './environment.js';

export interface ExecIntent {
  command: string[];
  /** Files before `-e`. */
  env: EnvChange[];
  /** absolute */
  workdir?: string;
  user?: string;
  tty: boolean;
  stdin: boolean;
  privileged: boolean;
  consoleSize?: { rows: number; cols: number };
}

export interface ExecInput {
  intent: ExecIntent;
  id: string;
  /** `Config` of the container. */
  container: { Env: readonly string[]; Hostname: string };
  /** Capabilities that can be given here. */
  capabilities: readonly string[];
}

export function planExec({ intent, id, container, capabilities }: ExecInput): ExecSpec {
  return {
    id,
    args: intent.command,
    env: execEnv(intent, container),
    tty: intent.tty,
    stdin: intent.stdin,
    ...(intent.tty && intent.consoleSize ? { consoleSize: intent.consoleSize } : {}),
    ...(intent.workdir === undefined ? {} : { cwd: intent.workdir }),
    ...(intent.user === undefined ? {} : { user: intent.user }),
    ...(intent.privileged ? { capabilities: [...capabilities] } : {}),
  };
}

/** The container's variables in their places, changed or taken away; new ones behind them. */
function execEnv({ env, tty }: ExecIntent, container: ExecInput['container']): string[] {
  const own = planEnv([], container.Env, { hostname: container.Hostname, tty }).process;
  const variables = new Map<string, string>();
  for (const entry of own) {
    const at = entry.indexOf('=');
    variables.set(entry.slice(0, at), entry.slice(at + 1));
  }
  for (const change of env) {
    if ('remove' in change) variables.delete(change.remove);
    else variables.set(change.name, change.value);
  }
  return [...variables].map(([name, value]) => `${name}=${value}`);
}
