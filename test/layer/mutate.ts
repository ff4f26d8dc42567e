/**
 * Mutations of the hostile archives against any build of the helper: `tsx test/layer/mutate.ts COUNT SEED`, with
 * TSRUN_TEST_HELPER naming the executable. Each must end with a result or a clean failure, within its limits, and leave
 * the host alone. Prints the first that does not and keeps it.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostileCases } from './corpus.js';
import { HELPER } from './fixture.js';
import { randomFrom } from './random.js';
import { tar } from './tar-builder.js';

/** Where a header's meaning sits: name, numbers, type, link, magic, sparse map. */
const FIELDS = [0, 100, 108, 116, 124, 135, 136, 156, 157, 257, 263, 329, 345, 386, 398, 482, 483];

/** Recomputes the checksums of what still looks like headers, so that changes get past the first check. */
function mend(archive: Buffer): void {
  for (let at = 0; at + 512 <= archive.length; at += 512) {
    if (archive.toString('latin1', at + 257, at + 262) !== 'ustar') continue;
    archive.fill(' ', at + 148, at + 156);
    const sum = archive.subarray(at, at + 512).reduce((total, byte) => total + byte, 0);
    archive.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148, 'latin1');
  }
}

function mutate(original: Buffer, other: Buffer, random: (below: number) => number): Buffer {
  let archive = Buffer.from(original);
  for (let change = random(4); change >= 0; change--) {
    const block = random(Math.max(1, archive.length >> 9)) << 9;
    const kind = random(6);
    if (archive.length === 0) return Buffer.from(other);
    if (kind === 0) archive[random(archive.length)] = random(256);
    if (kind === 1)
      archive[Math.min(archive.length - 1, block + (FIELDS[random(FIELDS.length)] ?? 0))] = random(256);
    if (kind === 2) archive = archive.subarray(0, random(archive.length + 1));
    if (kind === 3)
      archive = Buffer.concat([archive.subarray(0, block), other.subarray(0, 2048), archive.subarray(block)]);
    if (kind === 4) archive = Buffer.concat([archive.subarray(0, block), archive.subarray(block + 512)]);
    if (kind === 5)
      archive[Math.min(archive.length - 1, block + random(40))] = '/.0179 =\n\0'.charCodeAt(random(10));
  }
  if (random(4) > 0) mend(archive);
  return archive;
}

function verdict(archive: Buffer, base: string): string | undefined {
  const target = join(base, 'target');
  mkdirSync(target);
  const run = spawnSync(HELPER, ['apply', '--target', target, '--base', 'yes'], {
    input: archive,
    timeout: 60_000,
    maxBuffer: 1 << 26,
    encoding: 'utf8',
  });
  rmSync(target, { recursive: true, force: true });
  const last = run.stderr.trimEnd().split('\n').at(-1) ?? '';
  if (run.signal !== null) return `ended by ${run.signal}\n${run.stderr}`;
  if (!/^\{"(ok|fail)":\{.*\}\}$/.test(last) || run.stderr.trimEnd() !== last)
    return `no clean result\n${run.stderr}`;
  if (run.status !== (last.startsWith('{"ok"') ? 0 : 1)) return `exit code ${run.status}\n${last}`;
  if (readFileSync(join(base, 'victim/file'), 'utf8') !== 'untouched') return 'the host was changed';
  return undefined;
}

function main(count: number, seed: number): number {
  const base = mkdtempSync(join(tmpdir(), 'tsrun-mutate-'));
  try {
    const victim = join(base, 'victim');
    mkdirSync(victim);
    writeFileSync(join(victim, 'file'), 'untouched');
    const archives = hostileCases(victim).map((one) => one.archive ?? tar(...one.parts));
    const random = randomFrom(seed);
    const pick = () => archives[random(archives.length)] ?? Buffer.alloc(0);
    for (let run = 0; run < count; run++) {
      const archive = mutate(pick(), pick(), random);
      const problem = verdict(archive, base);
      if (problem === undefined) continue;
      const kept = join(tmpdir(), `tsrun-mutation-${seed}-${run}.tar`);
      writeFileSync(kept, archive);
      process.stderr.write(`mutation ${run} of seed ${seed}, kept as ${kept}: ${problem}\n`);
      return 1;
    }
    process.stdout.write(`${count} mutations: each a result or a clean failure\n`);
    return 0;
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

process.exitCode = main(Number(process.argv[2] ?? 500), Number(process.argv[3] ?? 1));
