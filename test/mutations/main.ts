/**
 * Mutations of hostile archives against what takes archives: `tsx test/mutations/main.ts --verbs DIR COUNT SEED`, where DIR
 * is made by scripts/asan-build.sh. Each ends with a result or a clean refusal, within its limits of time and memory, and
 * leaves the host and the store alone; the first that does not is kept. `--only N`: that one of the seed; `--replay FILE`
 * gives a kept one to its target again; `--kind` (apply, over, load, import) takes no other target.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { randomFrom } from '../layer/random.js';
import { mutatedImage, seedLayers } from './archives.js';
import { mutateBytes, pick, type Random } from './bytes.js';
import { VerbServer } from './server.js';
import { importing, LayerTarget, load, StoreTarget } from './targets.js';
import { HostWatch } from './watch.js';

type Kind = 'apply' | 'over' | 'load' | 'import';
/** Of ten. */
const KINDS: readonly Kind[] = [
  ...(['apply', 'apply', 'apply', 'apply', 'over'] as const),
  ...(['load', 'load', 'load', 'import', 'import'] as const),
];

interface Mutation {
  number: number;
  kind: Kind;
  archive: Buffer;
  below?: Buffer;
}

/** One at a time each. */
interface Worker {
  layers: LayerTarget;
  load: StoreTarget;
  import: StoreTarget;
}

/** Milliseconds for one archive, with all that is done with it. */
const PATIENCE = 60_000;
/** It is told after so many. */
const PROGRESS = 1000;
/** What this process may grow by: bytes. */
const MAX_GROWTH = 200 * 1024 * 1024;

/** The same for the same seed and number, whatever ran before. */
function make(seeds: readonly Buffer[], seed: number, number: number, only?: Kind): Mutation {
  const random: Random = randomFrom(seed * 1_000_003 + number);
  for (let i = 0; i < 8; i++) random(2); // neighbouring seeds begin alike
  const drawn = pick(KINDS, random);
  const kind = only ?? drawn;
  if (kind === 'load') return { number, kind, archive: mutatedImage(seeds, random) };
  const archive = mutateBytes(pick(seeds, random), pick(seeds, random), random);
  return { number, kind, archive, ...(kind === 'over' ? { below: pick(seeds, random) } : {}) };
}

function isKind(text: string | undefined): boolean {
  return text === undefined || (KINDS as readonly string[]).includes(text);
}

async function attempt(worker: Worker, { kind, archive, below }: Mutation): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`no end in ${PATIENCE / 1000} s`), PATIENCE);
  });
  const work =
    kind === 'load' || kind === 'import' ? worker[kind].take(archive) : worker.layers.apply(archive, below);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

class Run {
  readonly counts: Record<string, number> = {};
  failure: string | undefined;
  readonly #memory = process.memoryUsage.rss();

  constructor(
    readonly seed: number,
    private readonly watch: HostWatch,
    private readonly server: VerbServer,
  ) {}

  async one(worker: Worker, mutation: Mutation): Promise<void> {
    this.counts[mutation.kind] = (this.counts[mutation.kind] ?? 0) + 1;
    const problem =
      (await attempt(worker, mutation)) ??
      this.server.problems[0] ??
      this.watch.look() ??
      (process.memoryUsage.rss() - this.#memory > MAX_GROWTH ? 'this process grows' : undefined);
    if (problem === undefined || this.failure !== undefined) return;
    const kept = join(tmpdir(), `tsrun-mutation-${mutation.kind}-${this.seed}-${mutation.number}.tar`);
    writeFileSync(kept, mutation.archive);
    if (mutation.below) writeFileSync(`${kept}.below`, mutation.below);
    this.failure = `mutation ${mutation.number} of seed ${this.seed}, or one that ran beside it, kept as ${kept}: ${problem}`;
  }
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: {
      verbs: { type: 'string' },
      kind: { type: 'string' },
      only: { type: 'string' },
      replay: { type: 'string' },
    },
    allowPositionals: true,
  });
  const count = Number(positionals[0] ?? 20_000);
  const seed = Number(positionals[1] ?? 1);
  const dir = values.verbs;
  const kind = values.kind as Kind | undefined;
  if (dir === undefined || !Number.isInteger(count) || !Number.isInteger(seed) || !isKind(kind))
    throw new Error('usage: main.ts --verbs DIR [COUNT [SEED]] [--kind KIND] [--only N | --replay FILE]');
  const base = mkdtempSync(join(tmpdir(), 'tsrun-mutations-'));
  const server = await VerbServer.start(dir, base);
  const workers = Array.from({ length: availableParallelism() + 1 }, (_, i): Worker => {
    const client = join(base, 'client');
    return {
      layers: new LayerTarget(client, join(base, `work${i}`)),
      load: new StoreTarget(client, load),
      import: new StoreTarget(client, importing),
    };
  });
  try {
    const run = new Run(seed, new HostWatch(base), server);
    const seeds = seedLayers(join(base, 'victim'));
    const started = Date.now();
    if (values.replay !== undefined) await run.one(workers[0] as Worker, kept(values.replay));
    else if (values.only !== undefined)
      await run.one(workers[0] as Worker, make(seeds, seed, Number(values.only), kind));
    else {
      let next = 0;
      const work = async (worker: Worker) => {
        while (next < count && run.failure === undefined) {
          if (next > 0 && next % PROGRESS === 0) process.stderr.write(`${next} of ${count}\n`);
          await run.one(worker, make(seeds, seed, next++, kind));
        }
      };
      await Promise.all(workers.map(work));
    }
    return report(run, server, (Date.now() - started) / 1000);
  } finally {
    for (const worker of workers) for (const kind of ['load', 'import'] as const) worker[kind].close();
    server.stop();
    rmSync(base, { recursive: true, force: true });
  }
}

function kept(path: string): Mutation {
  const kind = /^tsrun-mutation-([a-z]+)-/.exec(basename(path))?.[1] as Kind | undefined;
  const below = kind === 'over' ? readFileSync(`${path}.below`) : undefined;
  return { number: 0, kind: kind ?? 'apply', archive: readFileSync(path), ...(below ? { below } : {}) };
}

function report({ counts, failure, seed }: Run, server: VerbServer, seconds: number): number {
  const kinds = Object.entries(counts)
    .sort()
    .map(([kind, n]) => `${n} ${kind}`)
    .join(', ');
  const verbs = `${server.verbs} verbs, the longest ${server.longest} s, the largest ${Math.round(server.largest / 1e6)} MB`;
  const text = failure ?? 'each a result or a clean refusal';
  process.stdout.write(`seed ${seed}, ${seconds.toFixed(0)} s: ${kinds} (${verbs}): ${text}\n`);
  return failure === undefined ? 0 : 1;
}

process.exitCode = await main();
