/**
 * The whole kill sweep (hours): npx tsx test/sweep/main.ts
 * In parts: SWEEP_VERBS=run,'rm -f' SWEEP_ROLES=helper SWEEP_CALLS=write,rename SWEEP_STRIDE=3 npx tsx test/sweep/main.ts
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const helper = fileURLToPath(new URL('../helpers/isolated.ts', import.meta.url));
const module = new URL('scenarios.ts', import.meta.url).href;
const { status } = spawnSync(
  'unshare',
  [
    '--net',
    '--mount',
    '--propagation',
    'private',
    process.execPath,
    '--import=tsx',
    helper,
    module,
    'longPass',
  ],
  { stdio: 'inherit' },
);
process.exit(status ?? 1);
