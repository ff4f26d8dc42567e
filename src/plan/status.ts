/** The STATUS column of `ps`, as Docker words it. */
import { humanDuration } from '../intent/duration.js';
import type { ContainerState } from '../types/engine.js';

export interface StatusFacts {
  state: ContainerState;
  /** RFC 3339 */
  startedAt?: string;
  finishedAt?: string;
  exitCode?: number;
  health?: 'starting' | 'healthy' | 'unhealthy';
}

export function statusText(facts: StatusFacts, now: Date): string {
  const since = (time: string | undefined) => humanDuration(now.getTime() - new Date(time ?? now).getTime());
  switch (facts.state) {
    case 'running':
      return `Up ${since(facts.startedAt)}${healthText(facts.health)}`;
    case 'paused':
      return `Up ${since(facts.startedAt)} (Paused)`;
    case 'restarting':
      return `Restarting (${facts.exitCode ?? 0}) ${since(facts.finishedAt)} ago`;
    case 'exited':
      return `Exited (${facts.exitCode ?? 0}) ${since(facts.finishedAt)} ago`;
    case 'created':
      return 'Created';
    case 'dead':
      return 'Dead';
  }
}

function healthText(health: StatusFacts['health']): string {
  if (health === undefined) return '';
  return health === 'starting' ? ' (health: starting)' : ` (${health})`;
}
