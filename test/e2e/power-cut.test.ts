/** A short pass of the power cuts (npm run test:power is the long one), in namespaces of its own. */
import test from 'ava';
import { isolated } from '../helpers/isolated.js';

test('eight power cuts during pull and commit: nothing acknowledged is damaged, the next commands work', async (t) => {
  t.timeout(600_000);
  await isolated(new URL('../power/scenarios.ts', import.meta.url), 'shortPass');
  t.pass();
});
