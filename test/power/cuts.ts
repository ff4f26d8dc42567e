/**
 * Power cuts during pull and commit: at many moments of both the disk is copied as it is, and each copy is looked at by
 * the next commands. What a command acknowledged before the cut is whole to the last byte; of the rest nothing is in the way.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createEngine } from '../../src/index.js';
import { run, TSRUN } from '../helpers/cli.js';
import { type Entry, imageOf, layerOf, pushImage } from '../helpers/images.js';
import { type Registry, startRegistry } from '../helpers/registry.js';
import { Disk, removeDisks } from './disk.js';
import { StoppableCommand } from './stopped.js';

const FILES = 150;
const COMMITTED = 'test/committed:1';
/** Writes files of all sizes, replaces some of the image, removes others. */
const CHANGES = `mkdir -p /new/deep && for i in $(seq ${FILES}); do echo "file $i" > /new/deep/$i; done
head -c 3000000 /dev/urandom > /new/large; rm /bin/vi; echo changed > /etc/group; ln /new/large /new/again`;

export interface Pass {
  points: number;
  /** Moments in one pull and commit. */
  perRun: number;
  seed: number;
  say?: (line: string) => void;
}

export interface Outcome {
  points: number;
  /** Of those: with the pull, and with the commit, acknowledged. */
  pulled: number;
  committed: number;
  /** What was wrong, one for each moment at which something was. */
  broken: string[];
  /** Moments at which the next command had something to sweep. */
  swept: number;
}

/** The same images, command lines and moments for the same seed; what is under way then is not the same. */
export async function cutPower({ points, perRun, seed, say = () => {} }: Pass): Promise<Outcome> {
  execFileSync('ip', ['link', 'set', 'lo', 'up']);
  const registry = await startRegistry();
  try {
    const image = await pushLayers(registry);
    const prepared = await prepare();
    const outcome: Outcome = { points: 0, pulled: 0, committed: 0, broken: [], swept: 0 };
    const random = generator(seed);
    // The first run has no cut: it tells how long the commands take.
    let times = await timesOf(prepared(), image);
    while (outcome.points < points) {
      const moments = momentsOf(Math.min(perRun, points - outcome.points), random);
      const cuts = await oneRun(prepared(), image, moments, times);
      times = cuts.times;
      for (const cut of cuts.cuts) await judge(cut, image, outcome);
      say(`${outcome.points} points, ${outcome.broken.length} broken`);
    }
    return outcome;
  } finally {
    registry.stop();
    removeDisks();
  }
}

/** Three layers: many small files, a large one, and one that needs what lies below it. */
async function pushLayers(registry: Registry): Promise<string> {
  const many: Entry[] = [{ path: 'dir', dir: true }];
  for (let i = 0; i < FILES; i += 1) many.push({ path: `dir/${i}`, content: `content of ${i}\n`.repeat(i) });
  const noise = generator(7);
  const large = String.fromCharCode(...Array.from({ length: 60_000 }, () => 32 + Math.floor(noise() * 90)));
  const layers = [
    layerOf(many),
    layerOf([{ path: 'large', content: large.repeat(60) }], 'none'),
    layerOf([{ path: 'dir/above', content: 'above\n' }]),
  ];
  await pushImage(registry.host, 'app', '1', imageOf(layers));
  return `${registry.host}/app:1`;
}

/** A store with busybox and a container that has changed something, on a disk that was switched off properly. */
async function prepare(): Promise<() => Disk> {
  const disk = Disk.make();
  await ok(disk, ['run', '--name', 'box', '--network', 'none', 'busybox', 'sh', '-c', CHANGES]);
  return disk.switchedOff();
}

const COMMIT = ['commit', 'box', COMMITTED];
const rootOf = (disk: Disk) => join(disk.at, 'root');
const environment = (disk: Disk) => ({ TSRUN_ROOT: rootOf(disk) });

async function ok(disk: Disk, args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(TSRUN, args, { env: environment(disk) });
  if (code !== 0) throw new Error(`tsrun ${args.join(' ')}: exit ${code}: ${stderr}`);
  return stdout;
}

interface Times {
  /** milliseconds */
  pull: number;
  commit: number;
}

async function timesOf(disk: Disk, image: string): Promise<Times> {
  try {
    const start = Date.now();
    await ok(disk, ['pull', '-q', image]);
    const middle = Date.now();
    await ok(disk, COMMIT);
    return { pull: middle - start, commit: Date.now() - middle };
  } finally {
    disk.remove();
  }
}

/** When to cut, as parts of the command's time; 1: right after it has returned. */
interface Moments {
  pull: number[];
  commit: number[];
}

function momentsOf(count: number, random: () => number): Moments {
  const moments: Moments = { pull: [], commit: [] };
  for (let i = 0; i < count; i += 1) {
    const part = i < 2 ? 1 : random();
    moments[i % 2 === 0 ? 'pull' : 'commit'].push(part);
  }
  moments.pull.sort();
  moments.commit.sort();
  return moments;
}

interface Cut {
  disk: Disk;
  when: string;
  pulled: boolean;
  committed: boolean;
}

async function oneRun(
  disk: Disk,
  image: string,
  moments: Moments,
  times: Times,
): Promise<{ cuts: Cut[]; times: Times }> {
  try {
    const cuts: Cut[] = [];
    const pull = await during(disk, ['pull', '-q', image], moments.pull, times.pull, (copy, when, done) =>
      cuts.push({ disk: copy, when: `pull ${when}`, pulled: done, committed: false }),
    );
    const commit = await during(disk, COMMIT, moments.commit, times.commit, (copy, when, done) =>
      cuts.push({ disk: copy, when: `commit ${when}`, pulled: true, committed: done }),
    );
    return { cuts, times: { pull, commit } };
  } finally {
    disk.remove();
  }
}

/** Runs a command and copies the disk at the given moments. Returns how long it took, without the copies. */
async function during(
  disk: Disk,
  args: string[],
  moments: readonly number[],
  expected: number,
  keep: (copy: Disk, when: string, done: boolean) => void,
): Promise<number> {
  const command = new StoppableCommand(TSRUN, args, environment(disk));
  let stood = 0;
  const start = Date.now();
  let left = 0;
  for (const [i, moment] of moments.entries()) {
    if (moment < 1) await delay(Math.max(0, moment * expected - (Date.now() - start - stood)));
    const since = Date.now();
    const copy = () => keep(disk.cut(i % 2 === 0), `at ${Math.round(moment * 100)} %`, false);
    if (moment === 1 || !(await command.stopped(copy))) left += 1;
    stood += Date.now() - since;
  }
  await command.succeed();
  const took = Date.now() - start - stood;
  for (let i = 0; i < left; i += 1) keep(disk.cut(i % 2 === 0), 'when it had returned', true);
  return took;
}

/** Looks at a disk after the cut, as its user would. */
async function judge(cut: Cut, image: string, outcome: Outcome): Promise<void> {
  outcome.points += 1;
  if (cut.pulled) outcome.pulled += 1;
  if (cut.committed) outcome.committed += 1;
  try {
    await look(cut, image, outcome);
  } catch (error) {
    outcome.broken.push(`${cut.when}: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    cut.disk.remove();
  }
}

async function look({ disk, pulled, committed }: Cut, image: string, outcome: Outcome): Promise<void> {
  const root = rootOf(disk);
  const engine = createEngine({ root });
  const { damages, swept } = await engine.check({ full: true });
  if (swept.length > 0) outcome.swept += 1;
  if (damages.length > 0) throw new Error(`damaged: ${JSON.stringify(damages)}`);
  const names = new Set((await engine.images()).flatMap(({ repoTags }) => repoTags));
  for (const name of ['busybox:latest', ...(pulled ? [image] : []), ...(committed ? [COMMITTED] : [])])
    if (!names.has(name)) throw new Error(`${name} was acknowledged and is gone`);
  for (const dir of ['staging', 'trash']) {
    const left = readdirSync(join(root, dir)).filter((name) => name !== 'ingest');
    if (left.length > 0) throw new Error(`${dir} holds ${left.join(', ')}`);
  }
  // A committed image runs, a pulled one is pulled again, and the container can be committed (again).
  const test = committed ? COMMITTED : 'busybox';
  const script = `test -d /bin${committed ? ` && test $(ls /new/deep | wc -l) = ${FILES} && ! test -e /bin/vi` : ''}`;
  await ok(disk, ['run', '--rm', '--network', 'none', test, 'sh', '-c', script]);
  await engine.pull(image);
  await engine.commit('box', { repository: 'test/again:1' });
  const after = await engine.check();
  if (after.damages.length > 0)
    throw new Error(`damaged by what came after: ${JSON.stringify(after.damages)}`);
}

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
