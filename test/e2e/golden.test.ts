/**
 * What Docker's users type, answered by Debian's dockerd and by tsrun: the same stdout, exit code and cause.
 *   GOLDEN='rm of' npx ava test/e2e/golden.test.ts     only the cases whose title matches, dockerd asked about each
 *   GOLDEN=. TSRUN_RECORD_GOLDEN=1 npx ava …           all of them, and what dockerd answers is kept
 * Without GOLDEN most of dockerd's answers are those of test/golden/recording.json.
 */
import test from 'ava';
import { ACCEPTED } from '../golden/accepted.js';
import type { GoldenCase } from '../golden/case.js';
import { GOLDEN_CASES } from '../golden/cases.js';
import { GoldenEngine, type Outcome } from '../golden/engine.js';
import { normalise } from '../golden/normalise.js';
import { builtProbe, compareProfiles, PROFILES, profileOf } from '../golden/profile.js';
import { PROFILE_DIFFERENCES } from '../golden/profile-differences.js';
import { record, recorded } from '../golden/recording.js';
import type { Result } from '../helpers/cli.js';

const chosen = new RegExp(process.env.GOLDEN ?? '');
const cases = GOLDEN_CASES.filter(
  ({ title, rare }) => chosen.test(title) && !(rare && chosen.source === '(?:)'),
);
const known = process.env.GOLDEN === undefined ? recorded(cases) : new Map<string, Result>();
const asked = new Map<string, Result>();
const engines: GoldenEngine[] = [];
const docker = new Map<string, Promise<Outcome>>();
const tsrun = new Map<string, Promise<Outcome>>();

test.before(async () => {
  const ask = cases.filter(({ title }) => !known.has(title));
  const parts: [GoldenEngine, GoldenCase[], typeof docker][] = [
    [await GoldenEngine.docker(), ask, docker],
    ...halves().map((half): (typeof parts)[number] => [GoldenEngine.tsrun(), half, tsrun]),
  ];
  for (const [engine] of parts) engines.push(engine);
  await Promise.all(engines.map((engine) => engine.load()));
  for (const part of parts) chain(...part);
});

test.after.always(async () => {
  await Promise.all(engines.map((engine) => engine.stop()));
  if (process.env.TSRUN_RECORD_GOLDEN) record(GOLDEN_CASES, asked);
});

/** For two stores, so that both cores have something to do. Cases that share a beginning stay together. */
function halves(): GoldenCase[][] {
  let middle = Math.floor(cases.length / 2);
  while (cases[middle]?.shared !== undefined && cases[middle]?.shared === cases[middle - 1]?.shared)
    middle += 1;
  return [cases.slice(0, middle), cases.slice(middle)];
}

/** Every case on one engine, each after the one before it. */
function chain(engine: GoldenEngine, part: readonly GoldenCase[], all: Map<string, Promise<Outcome>>): void {
  let last: Promise<unknown> = Promise.resolve();
  for (const golden of part) {
    const outcome = last.then(async () => {
      const raw = await engine.outcome(golden);
      return { ...normalise(raw, engine.dir, golden.unordered), broken: raw.broken };
    });
    last = outcome.catch(() => {}); // told by the test of that case
    all.set(golden.title, outcome);
  }
}

for (const { title } of cases) {
  test.serial(title, async (t) => {
    const ours = await tsrun.get(title);
    const live = await docker.get(title);
    t.is(live?.broken, undefined, 'docker: the setup of the case');
    t.is(ours?.broken, undefined, 'tsrun: the setup of the case');
    const words = (outcome: Result) => ({
      code: outcome.code,
      stdout: outcome.stdout,
      stderr: outcome.stderr,
    });
    const theirs = live === undefined ? known.get(title) : words(live);
    if (ours === undefined || theirs === undefined) return t.fail('nobody was asked');
    if (live !== undefined) asked.set(title, theirs);
    if (title in ACCEPTED)
      t.notDeepEqual(words(ours), theirs, 'an accepted difference that is none any more');
    else t.deepEqual(words(ours), theirs, `tsrun (-) answers otherwise than docker (+)`);
  });
}

let probe: string;
for (const [name, flags] of Object.entries(PROFILES)) {
  if (!chosen.test(`profile: ${name}`)) continue;
  test.serial(`profile: ${name}`, async (t) => {
    probe ??= builtProbe();
    const both = engines.slice(0, 2);
    const [theirs, ours] = await Promise.all(both.map((engine) => profileOf(engine, probe, flags)));
    t.true(theirs !== undefined && theirs.size > 700, 'the probe says all that it should');
    t.deepEqual(compareProfiles(name, theirs ?? new Map(), ours ?? new Map(), PROFILE_DIFFERENCES), []);
  });
}

test('accepted differences are few, each has a case and a reason', (t) => {
  const titles = GOLDEN_CASES.map(({ title }) => title);
  t.is(new Set(titles).size, titles.length, 'titles are unique');
  t.true(Object.keys(ACCEPTED).length * 10 <= titles.length);
  for (const [title, reason] of Object.entries(ACCEPTED)) {
    t.true(titles.includes(title), title);
    t.true(reason.length > 20, title);
  }
});
