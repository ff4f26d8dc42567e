/** A short pass of bench/density.ts, for every run of the tests. */
import { deepEqual, ok } from 'node:assert/strict';
import { density } from '../../bench/density.js';
import { run } from '../helpers/cli.js';

/** Design invariant 1, in bytes. */
const MOST = 2 * 1024 * 1024;

export async function shortPass(): Promise<void> {
  await run('ip', ['link', 'set', 'lo', 'up']);
  for (const network of ['none', 'bridge'] as const) {
    const { memory, leaks } = await density(15, network);
    deepEqual(leaks, []);
    ok(memory < MOST, `${memory} bytes for each container on network ${network}`);
  }
}
