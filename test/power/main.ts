/** Power cuts at many moments of pull and commit: npm run test:power -- [POINTS [SEED]]   (200 points: about ten minutes) */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const helper = fileURLToPath(new URL('../helpers/isolated.ts', import.meta.url));
const module = new URL('scenarios.ts', import.meta.url).href;
const { status } = spawnSync(
  'unshare',
  [
    ...['--net', '--mount', '--propagation', 'private'],
    ...[process.execPath, '--import=tsx', helper, module, 'longPass'],
  ],
  { stdio: 'inherit', env: { ...process.env, POWER: process.argv.slice(2).join(',') } },
);
process.exit(status ?? 1);
