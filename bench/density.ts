/**
 * Many sleeping containers on one machine: their memory as design.md counts it, the time of `ps`, and nothing left after.
 *   npx tsx bench/density.ts [NONE BRIDGE] [--write]      default 1000 without a network, then 500 on the default bridge
 * Runs itself again in mount and network namespaces of its own.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { createEngine } from '../src/index.js';
import { run, Store, TSRUN } from '../test/helpers/cli.js';
import { leaksAfterSettling, linkNames } from '../test/helpers/leaks.js';
import { writeSections } from './page.js';

/** Started by the CLI and measured; the rest is started by the library, which is quicker. */
const MEASURED = 100;
const WARM = 5;
const AT_ONCE = 4;

export interface Figures {
  network: 'none' | 'bridge';
  count: number;
  /** bytes for each of the measured ones: growth of the memory cgroup, and of Shmem in /proc/meminfo */
  memory: number;
  shmem: number;
  /** milliseconds */
  start: number;
  ps: number;
  remove: number;
  leaks: string[];
}

/** A memory cgroup around the containers and whatever starts them. */
class Memory {
  /** As --cgroup-parent takes it. */
  readonly parent = `/tsrun-density-${process.pid}`;
  readonly #dir: string;
  readonly #clients: string;
  readonly #usage: string;

  constructor() {
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
    const v1 = mounts.find((line) => / - cgroup .*\bmemory\b/.test(line));
    const mount = v1 ?? mounts.find((line) => / - cgroup2 /.test(line));
    this.#dir = join(mount?.split(' ')[4] ?? '/sys/fs/cgroup', this.parent);
    this.#clients = join(this.#dir, 'clients');
    this.#usage = join(this.#dir, v1 ? 'memory.usage_in_bytes' : 'memory.current');
    mkdirSync(this.#clients, { recursive: true });
  }

  /** bytes */
  usage(): number {
    return Number(readFileSync(this.#usage, 'utf8'));
  }

  /** Runs the CLI, whose monitor then counts. */
  tsrun(store: Store, args: string[]): void {
    const script = 'echo $$ > "$0"/cgroup.procs; exec "$@"';
    const env = { ...process.env, ...store.environment() };
    execFileSync('sh', ['-c', script, this.#clients, TSRUN, ...args], {
      env,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }

  remove(): void {
    rmdirSync(this.#clients);
    rmdirSync(this.#dir);
  }
}

function shmem(): number {
  return Number(/^Shmem:\s+(\d+)/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]) * 1024;
}

function timed<T>(work: () => Promise<T>): Promise<number> {
  const start = performance.now();
  return work().then(() => performance.now() - start);
}

/** @throws Error when one does not start or cannot be removed. */
export async function density(count: number, network: 'none' | 'bridge'): Promise<Figures> {
  const store = new Store();
  const memory = new Memory();
  try {
    const options = ['--network', network, '--cgroup-parent', memory.parent];
    const word = ['run', '-d', ...options, 'busybox', 'sleep', '1000000'];
    for (let i = 0; i < WARM; i++) memory.tsrun(store, word);
    const before = { usage: memory.usage(), shmem: shmem() };
    const measured = Math.min(MEASURED, count - WARM);
    for (let i = 0; i < measured; i++) memory.tsrun(store, word);
    const after = { usage: memory.usage(), shmem: shmem() };

    const start = await timed(() => startMore(store, count - WARM - measured, network, memory.parent));
    const listed = (await store.ok('ps', '-q')).trim().split('\n').length;
    if (listed !== count) throw new Error(`ps lists ${listed} of ${count}`);
    const times: number[] = [];
    for (let i = 0; i < 5; i++) times.push(await timed(() => store.ok('ps')));
    const ids = (await store.ok('ps', '-aq')).trim().split('\n');
    const remove = await timed(() => store.ok('rm', '-f', ...ids));
    const leaks = [...(await leaksAfterSettling(store.root)), ...(await linksLeft())];
    return {
      network,
      count,
      memory: (after.usage - before.usage) / measured,
      shmem: (after.shmem - before.shmem) / measured,
      start: start / Math.max(1, count - WARM - measured),
      ps: times.sort((a, b) => a - b)[2] ?? 0,
      remove,
      leaks,
    };
  } finally {
    await store.destroy();
    memory.remove();
  }
}

async function startMore(store: Store, count: number, network: string, cgroupParent: string): Promise<void> {
  const engine = createEngine({ root: store.root });
  let begun = 0;
  const worker = async () => {
    while (begun < count) {
      begun += 1;
      const { id } = await engine.create({
        image: 'busybox',
        command: ['sleep', '1000000'],
        network,
        cgroupParent,
        detach: true,
      });
      await engine.start(id);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** What the network namespace, which is ours alone, still has besides its loopback. */
async function linksLeft(): Promise<string[]> {
  return linkNames().filter((name) => name !== 'lo');
}

export function densityTable(rows: Figures[]): string {
  const kib = (bytes: number) => `${Math.round(bytes / 1024)} KiB`;
  const lines = rows.map(
    (row) =>
      `| ${row.count} | ${row.network} | ${kib(row.memory)} | ${kib(row.shmem)} | ${row.start.toFixed(0)} | ${row.ps.toFixed(0)} | ${(row.remove / 1000).toFixed(1)} | ${row.leaks.length} |`,
  );
  return [
    '| containers | network | memory cgroup each | Shmem each | start ms each | `ps` ms | `rm -f` of all s | left behind |',
    '|---:|---|---:|---:|---:|---:|---:|---:|',
    ...lines,
  ].join('\n');
}

async function main(): Promise<void> {
  await run('ip', ['link', 'set', 'lo', 'up']);
  const [none = 1000, bridge = 500] = process.argv
    .slice(2)
    .filter((word) => /^\d+$/.test(word))
    .map(Number);
  const rows: Figures[] = [];
  if (none > 0) rows.push(await density(none, 'none'));
  if (bridge > 0) rows.push(await density(bridge, 'bridge'));
  const text = `\`npx tsx bench/density.ts ${none} ${bridge} --write\`: sleeping busybox containers in one store. Memory: growth over ${MEASURED} of them,
of a cgroup that holds monitors, containers and the page cache of their files; Shmem is the machine's. Started ${AT_ONCE} at a time. ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB.

${densityTable(rows)}`;
  process.stdout.write(`${text}\n`);
  for (const { leaks } of rows) for (const leak of leaks) process.stderr.write(`left behind: ${leak}\n`);
  if (process.argv.includes('--write')) writeSections({ density: text });
  if (rows.some(({ leaks }) => leaks.length > 0)) process.exit(1);
}

if (process.argv[1]?.endsWith('bench/density.ts')) {
  if (process.env.TSRUN_BENCH_INSIDE) await main();
  else {
    const env = { ...process.env, TSRUN_BENCH_INSIDE: '1' };
    const { status } = spawnSync('unshare', ['-m', '-n', 'npx', 'tsx', ...process.argv.slice(1)], {
      stdio: 'inherit',
      env,
    });
    process.exit(status ?? 1);
  }
}
