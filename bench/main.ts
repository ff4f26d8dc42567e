/**
 * tsrun beside docker, podman, runc and bare node, on the same images in the same run.
 *   npx tsx bench/main.ts [ROUNDS] [--write]      --write keeps the tables in docs/benchmarks.md
 * Runs itself again in mount and network namespaces of its own, so that nothing of it is seen outside.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { makeBusyboxRoot } from '../rootfs-fixtures/busybox.js';
import { ubuntuArchive, vimPackages } from '../rootfs-fixtures/debian.js';
import { run, Store, TSRUN } from '../test/helpers/cli.js';
import { startDocker } from '../test/helpers/dockerd.js';
import { startRegistry } from '../test/helpers/registry.js';
import { measure, type Row, table } from './measure.js';

const rounds = Number(process.argv[2]) || 10;

if (!process.env.TSRUN_BENCH_INSIDE) {
  ubuntuArchive(); // both made here, where the Debian mirror can be reached
  vimPackages();
  const env: Record<string, string | undefined> = { ...process.env, TSRUN_BENCH_INSIDE: '1' };
  env.NODE_EXTRA_CA_CERTS = undefined; // Node 20 parses it at every start: about 40 ms that are nobody's here
  const inside = 'ip link set lo up && exec "$@"';
  const { status } = spawnSync(
    'unshare',
    ['-m', '-n', 'sh', '-c', inside, 'bench', 'npx', 'tsx', ...process.argv.slice(1)],
    {
      stdio: 'inherit',
      env: env as NodeJS.ProcessEnv,
    },
  );
  process.exit(status ?? 1);
}

const dir = mkdtempSync(join(tmpdir(), 'tsrun-bench-'));
const registry = await startRegistry();
registry.push(ubuntuArchive(), 'docker.io/library/ubuntu:latest', 'library/ubuntu:latest');
const docker = await startDocker({ network: true });
const store = new Store({ TSRUN_CERTS_DIR: registry.certsDir });
process.env.TSRUN_ROOT = store.root;
process.env.TSRUN_CERTS_DIR = registry.certsDir;
const podmanRoots = [
  '--root',
  join(dir, 'podman'),
  '--runroot',
  join(dir, 'podman-run'),
  '--runtime',
  'runc',
  '--cgroup-manager',
  'cgroupfs',
];
const podman = (...args: string[]) => ['podman', ...podmanRoots, ...args];
const image = `${registry.host}/library/ubuntu:latest`;

async function must(command: string[]): Promise<void> {
  const [file = '', ...args] = command;
  const result = await run(file, args);
  if (result.code !== 0) throw new Error(`${command.join(' ')}: exit ${result.code}\n${result.stderr}`);
}

function quietly(command: string[]): void {
  const [file = '', ...args] = command;
  spawnSync(file, args, { stdio: 'ignore' });
}

/** A bundle of the busybox root for runc, as `runc spec` makes it but without a terminal. */
function runcBundle(): string {
  const bundle = join(dir, 'bundle');
  mkdirSync(join(bundle, 'rootfs'), { recursive: true });
  makeBusyboxRoot(join(bundle, 'rootfs'));
  quietly(['runc', 'spec', '--bundle', bundle]);
  const path = join(bundle, 'config.json');
  const script = `const fs = require('fs'), c = JSON.parse(fs.readFileSync('${path}')); c.process.terminal = false; c.process.args = ['true']; fs.writeFileSync('${path}', JSON.stringify(c))`;
  quietly([process.execPath, '-e', script]);
  return bundle;
}

async function benchRun(): Promise<Row[]> {
  const busybox = resolve('dist/busybox.tar');
  await must([TSRUN, 'load', '-q', '-i', busybox]);
  await must([...docker.command, 'load', '-q', '-i', busybox]);
  await must(podman('load', '-q', '-i', busybox));
  const bundle = runcBundle();
  const word = ['run', '--rm'];
  const none = ['--network', 'none'];
  return measure(
    [
      { name: '`node -e 0`', command: [process.execPath, '-e', '0'] },
      { name: '`runc run` (bundle)', command: ['runc', 'run', '--bundle', bundle, `bench-${process.pid}`] },
      {
        name: '`tsrun run --rm --network none busybox true`',
        command: [TSRUN, ...word, ...none, 'busybox', 'true'],
      },
      { name: '`tsrun run --rm busybox true`', command: [TSRUN, ...word, 'busybox', 'true'] },
      {
        name: '`podman run --rm --network none busybox true`',
        command: podman(...podmanRun, '--rm', ...none, 'busybox', 'true'),
      },
      {
        name: '`docker run --rm --network none busybox true`',
        command: [...docker.command, ...word, ...none, 'busybox', 'true'],
      },
      { name: '`docker run --rm busybox true`', command: [...docker.command, ...word, 'busybox', 'true'] },
    ],
    rounds,
  );
}

function benchPull(): Row[] {
  const forget =
    (...command: string[]) =>
    () =>
      quietly(command);
  const mine = [TSRUN, 'rmi', '-f', image] as const;
  const dockers = [...docker.command, 'rmi', '-f', image];
  const podmans = podman('rmi', '-f', image);
  return measure(
    [
      { name: '`tsrun pull`', command: [TSRUN, 'pull', '-q', image], before: forget(...mine) },
      {
        name: '`podman pull`',
        command: podman('pull', '-q', '--tls-verify=false', image),
        before: forget(...podmans),
      },
      {
        name: '`docker pull`',
        command: [...docker.command, 'pull', '-q', image],
        before: forget(...dockers),
      },
    ],
    Math.max(3, Math.floor(rounds / 3)),
  );
}

/** A container in which vim was installed, by dpkg from the packages that apt would fetch. */
async function benchCommit(): Promise<Row[]> {
  const install = ['-v', `${vimPackages()}:/debs:ro`, image, 'sh', '-c', 'dpkg -i /debs/*.deb'];
  await must([TSRUN, 'run', '--name', 'vim', '--network', 'none', ...install]);
  await must([...docker.command, 'run', '--name', 'vim', '--network', 'none', ...install]);
  await must(podman(...podmanRun, '--name', 'vim', '--network', 'none', ...install));
  const variant = (name: string, command: string[]) => ({
    name,
    command: [...command, 'commit', 'vim', 'test/vim'],
    after: () => quietly([...command, 'rmi', '-f', 'test/vim']),
  });
  return measure(
    [
      variant('`tsrun commit`', [TSRUN]),
      variant('`podman commit`', podman()),
      variant('`docker commit`', docker.command),
    ],
    Math.max(3, Math.floor(rounds / 3)),
  );
}

/** podman raises RLIMIT_NOFILE, which takes CAP_SYS_RESOURCE: these limits can be had without. */
const podmanRun = ['run', '--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1024:1024'];

async function report(): Promise<string> {
  const kernel = (await run('uname', ['-r'])).stdout.trim().split('-')[0];
  return `# Benchmarks

Made by \`npx tsx bench/main.ts ${rounds} --write\` as root: whole commands, round-robin, one run; x = median / median of the
first row. ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${kernel}, Node ${process.versions.node}, Debian's docker 20.10, podman 4.3
and runc 1.1. \`NODE_EXTRA_CA_CERTS\` unset.

## run

${table(await benchRun())}

## pull of a Debian image (two layers, 41 MB compressed) from a registry on loopback

${table(benchPull())}

## commit of the container in which vim was installed

${table(await benchCommit())}
`;
}

try {
  const page = await report();
  process.stdout.write(page);
  if (process.argv.includes('--write')) writeFileSync('docs/benchmarks.md', page);
} finally {
  await store.destroy();
  quietly(podman('rm', '-af'));
  await docker.stop();
  registry.stop();
  rmSync(dir, { recursive: true, force: true });
}
