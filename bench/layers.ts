/**
 * Layers and images beside their peers: packing and unpacking alone (GNU tar, gzip, umoci), and the verbs that move images
 * (docker, podman).
 *   npx tsx bench/layers.ts [ROUNDS] [--disk] [--write] [--only=WORD]
 * All files lie in a tmpfs, with --disk below $TMPDIR. --write keeps the tables in docs/benchmarks.md; --only measures the
 * sections that have WORD in their titles.
 */
import { inNamespaces } from './inside.js';
import { benchPack, benchUnpack, material } from './layers-alone.js';
import { type Row, table } from './measure.js';
import {
  benchChange,
  benchCommit,
  benchLoad,
  benchPull,
  benchPush,
  benchSave,
  benchShared,
} from './moves.js';
import { writeSections } from './page.js';
import { openPeers, type Peers } from './peers.js';

const words = process.argv.slice(2);
const rounds = Number(words.find((word) => /^\d+$/.test(word)) ?? 5);
const onDisk = words.includes('--disk');
const only = words.find((word) => word.startsWith('--only='))?.slice('--only='.length) ?? '';
inNamespaces({ memory: !onDisk });

const place = onDisk ? 'disk' : 'tmpfs';
const layer = material();

/** In this order: what an earlier one makes (the container `vim`, images) serves the later ones. */
const moves: [string, (peers: Peers) => Row[] | Promise<Row[]>][] = [
  [
    'pull of a Debian (two layers, 41 MB compressed) from a registry on loopback',
    (peers) => benchPull(peers, rounds),
  ],
  ['commit of the container in which vim was installed', (peers) => benchCommit(peers, rounds)],
  ['pull of that image, its lower layers are here', (peers) => benchShared(peers, rounds)],
  ['push of that image to an empty registry', (peers) => benchPush(peers, rounds)],
  ['save of that image', (peers) => benchSave(peers, rounds)],
  ['load of that archive', (peers) => benchLoad(peers, rounds)],
  ['commit of one changed byte in a container of 1 GB', (peers) => benchChange(peers, rounds)],
];

function report(title: string, rows: Row[]): void {
  const full = `${title} (${place})`;
  const text = table(rows);
  process.stdout.write(`## ${full}\n\n${text}\n\n`);
  if (words.includes('--write')) writeSections({ [full]: text });
}

try {
  for (const [title, rows] of [...benchUnpack(layer, rounds, only), ...benchPack(layer, rounds, only)])
    report(title, rows);
  // Also those of no interest make what the later ones need, in one round.
  const wanted = moves.map(([title]) => title.includes(only));
  if (wanted.includes(true)) {
    const peers = await openPeers();
    try {
      for (const [i, [title, bench]] of moves.entries()) {
        if (!wanted.slice(i).includes(true)) break;
        const rows = await bench(peers);
        if (wanted[i]) report(title, rows);
      }
    } finally {
      await peers.close();
    }
  }
} finally {
  layer.remove();
}
