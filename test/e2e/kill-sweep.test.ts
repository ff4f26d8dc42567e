/** A short pass of the kill sweep (test/sweep/main.ts is the whole of it), in namespaces of its own. */
import test from 'ava';
import { isolated } from '../helpers/isolated.js';

const PASSES = {
  run: 'shortRun',
  stop: 'shortStop',
  'rm -f': 'shortRm',
  restart: 'shortRestart',
  exec: 'shortExec',
};

for (const [verb, pass] of Object.entries(PASSES)) {
  test.serial(
    `${verb}: whoever is killed at whichever call, the next commands work and nothing is left`,
    async (t) => {
      t.timeout(600_000);
      await isolated(new URL('../sweep/scenarios.ts', import.meta.url), pass);
      t.pass();
    },
  );
}
