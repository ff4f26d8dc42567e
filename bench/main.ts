/**
 * tsrun beside docker, podman, runc and bare node, on the same images in the same run.
 *   npx tsx bench/main.ts [ROUNDS] [CONTAINERS] [--write]      --write keeps the tables in docs/benchmarks.md
 * CONTAINERS: how many `ps` has to list, 1000 if not given. Runs itself again in mount and network namespaces of its own, so
 * that nothing of it is seen outside.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { makeBusyboxRoot } from '../rootfs-fixtures/busybox.js';
import { run } from '../test/helpers/cli.js';
import { inNamespaces } from './inside.js';
import { benchExec, benchPs, benchStarts, benchStop } from './lifecycle.js';
import { measure, type Row, table } from './measure.js';
import { writeSections } from './page.js';
import { loadBusybox, openPeers, quietly } from './peers.js';

const [rounds = 10, containers = 1000] = process.argv
  .slice(2)
  .filter((word) => /^\d+$/.test(word))
  .map(Number);
const few = Math.max(3, Math.floor(rounds / 3));

inNamespaces();

const peers = await openPeers();
const { tsrun, podman, docker } = peers;

/** A bundle of the busybox root for runc, as `runc spec` makes it but without a terminal. */
function runcBundle(): string {
  const bundle = join(peers.dir, 'bundle');
  mkdirSync(join(bundle, 'rootfs'), { recursive: true });
  makeBusyboxRoot(join(bundle, 'rootfs'));
  quietly(['runc', 'spec', '--bundle', bundle]);
  const path = join(bundle, 'config.json');
  const config = JSON.parse(readFileSync(path, 'utf8'));
  Object.assign(config.process, { terminal: false, args: ['true'] });
  writeFileSync(path, JSON.stringify(config));
  return bundle;
}

function benchRun(): Row[] {
  const bundle = runcBundle();
  const word = ['run', '--rm'];
  const none = ['--network', 'none'];
  return measure(
    [
      { name: '`node -e 0`', command: [process.execPath, '-e', '0'] },
      { name: '`runc run` (bundle)', command: ['runc', 'run', '--bundle', bundle, `bench-${process.pid}`] },
      {
        name: '`tsrun run --rm --network none busybox true`',
        command: tsrun.command(...word, ...none, 'busybox', 'true'),
      },
      { name: '`tsrun run --rm busybox true`', command: tsrun.command(...word, 'busybox', 'true') },
      {
        name: '`podman run --rm --network none busybox true`',
        command: podman.command(...word, ...podman.flags, ...none, 'busybox', 'true'),
      },
      {
        name: '`docker run --rm --network none busybox true`',
        command: docker.command(...word, ...none, 'busybox', 'true'),
      },
      { name: '`docker run --rm busybox true`', command: docker.command(...word, 'busybox', 'true') },
    ],
    rounds,
  );
}

async function head(): Promise<string> {
  const kernel = (await run('uname', ['-r'])).stdout.trim().split('-')[0];
  return `# Benchmarks

Made by \`npx tsx bench/main.ts ${rounds} ${containers} --write\` as root: whole commands, round-robin, one run; x = median / median of
the first row. ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${kernel}, Node ${process.versions.node}, Debian's docker 20.10, podman 4.3
and runc 1.1. \`NODE_EXTRA_CA_CERTS\` unset.

`;
}

/** Title -> rows, in the order of the page. */
const sections: [string, () => Row[] | Promise<Row[]>][] = [
  ['run', benchRun],
  ['exec', () => benchExec(peers, rounds)],
  ['stop of a program that listens', () => benchStop(peers, few)],
  ['50 starts at once', () => benchStarts(peers, 50, few)],
  ['ps', () => benchPs(peers, containers, few)],
];

try {
  const write = process.argv.includes('--write');
  const top = await head();
  process.stdout.write(top);
  await loadBusybox(peers);
  for (const [title, bench] of sections) {
    const text = table(await bench());
    process.stdout.write(`## ${title}\n\n${text}\n\n`);
    // As it comes: what follows may take long.
    if (write) writeSections({ [title]: text }, top);
  }
} finally {
  await peers.close();
}
