/** Benchmarks run in mount and network namespaces of their own, so that nothing of them is seen outside. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FIXTURES, redisArchive, ubuntuArchive, vimPackages } from '../rootfs-fixtures/debian.js';

/**
 * Runs the program again inside, and ends with its exit code; returns there.
 * @param memory all files but the fixtures lie in a tmpfs then
 */
export function inNamespaces({ memory = false } = {}): void {
  if (process.env.TSRUN_BENCH_INSIDE) return;
  for (const make of [ubuntuArchive, redisArchive, vimPackages]) make(); // here, where the Debian mirror can be reached
  const env: Record<string, string | undefined> = {
    ...process.env,
    TSRUN_BENCH_INSIDE: '1',
    TSRUN_FIXTURES: FIXTURES,
    NODE_EXTRA_CA_CERTS: undefined, // Node 20 parses it at every start: about 40 ms that are nobody's here
  };
  // Short: podman takes paths of 50 characters.
  const dir = memory ? mkdtempSync(join(tmpdir(), 'tsb-')) : undefined;
  if (dir !== undefined) env.TMPDIR = dir;
  const mount = dir === undefined ? '' : `mount -t tmpfs bench '${dir}' && `;
  const inside = `${mount}ip link set lo up && exec "$@"`;
  const { status } = spawnSync(
    'unshare',
    ['-m', '-n', 'sh', '-c', inside, 'bench', 'npx', 'tsx', ...process.argv.slice(1)],
    { stdio: 'inherit', env: env as NodeJS.ProcessEnv },
  );
  if (dir !== undefined) rmdirSync(dir);
  process.exit(status ?? 1);
}
