/** A short pass of bench/density.ts: containers side by side cost little and leave nothing. */
import test from 'ava';
import { isolated } from '../helpers/isolated.js';

test('fifteen sleeping containers on each network: under 2 MB each, and nothing left behind', async (t) => {
  await isolated(new URL('../sweep/density.ts', import.meta.url), 'shortPass');
  t.pass();
});
