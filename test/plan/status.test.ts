import test from 'ava';
import { type StatusFacts, statusText } from '../../src/plan/status.js';

test('the STATUS column', (t) => {
  const now = new Date('2026-01-01T12:00:00Z');
  const startedAt = '2026-01-01T11:59:57.000000001Z';
  const finishedAt = '2026-01-01T11:58:00Z';
  const table: [StatusFacts, string][] = [
    [{ state: 'running', startedAt: '2026-01-01T11:59:57Z' }, 'Up 3 seconds'],
    [{ state: 'running', startedAt: now.toISOString() }, 'Up Less than a second'],
    [{ state: 'running', startedAt, health: 'healthy' }, 'Up 3 seconds (healthy)'],
    [{ state: 'running', startedAt, health: 'starting' }, 'Up 3 seconds (health: starting)'],
    [{ state: 'paused', startedAt }, 'Up 3 seconds (Paused)'],
    [{ state: 'exited', startedAt, finishedAt, exitCode: 137 }, 'Exited (137) 2 minutes ago'],
    [{ state: 'restarting', finishedAt, exitCode: 3 }, 'Restarting (3) 2 minutes ago'],
    [{ state: 'created' }, 'Created'],
    [{ state: 'dead' }, 'Dead'],
  ];
  for (const [facts, text] of table) t.is(statusText(facts, now), text);
});
