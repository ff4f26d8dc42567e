/**
 * What Docker's users type, answered by Debian's dockerd and by tsrun: the same stdout, exit code and cause.
 *   GOLDEN='rm of' npx ava test/e2e/golden.test.ts     only the cases whose title matches; GOLDEN=. for all there are
 */
import test from 'ava';
import { ACCEPTED } from '../golden/accepted.js';
import { GOLDEN_CASES } from '../golden/cases.js';
import { GoldenEngine, type Outcome } from '../golden/engine.js';
import { normalise } from '../golden/normalise.js';
import { builtProbe, compareProfiles, PROFILES, profileOf } from '../golden/profile.js';
import { PROFILE_DIFFERENCES } from '../golden/profile-differences.js';

const chosen = new RegExp(process.env.GOLDEN ?? '');
const cases = GOLDEN_CASES.filter(
  ({ title, rare }) => chosen.test(title) && !(rare && chosen.source === '(?:)'),
);
const engines: GoldenEngine[] = [];
let outcomes: Map<string, Promise<Outcome>>[] = [];

test.before(async () => {
  engines.push(await GoldenEngine.docker(), GoldenEngine.tsrun());
  await Promise.all(engines.map((engine) => engine.load()));
  outcomes = engines.map(chain);
});
test.after.always(async () => {
  await Promise.all(engines.map((engine) => engine.stop()));
});

/** Every case on one engine, each after the one before it. */
function chain(engine: GoldenEngine): Map<string, Promise<Outcome>> {
  const all = new Map<string, Promise<Outcome>>();
  let last: Promise<unknown> = Promise.resolve();
  for (const golden of cases) {
    const outcome = last.then(() => engine.outcome(golden));
    last = outcome.catch(() => {}); // told by the test of that case
    all.set(golden.title, outcome);
  }
  return all;
}

for (const { title, unordered } of cases) {
  test.serial(title, async (t) => {
    const raw = await Promise.all(outcomes.map((chained) => chained.get(title)));
    t.is(raw[0]?.broken, undefined, 'docker: the setup of the case');
    t.is(raw[1]?.broken, undefined, 'tsrun: the setup of the case');
    const [docker, tsrun] = raw.map((each, i) => each && normalise(each, engines[i]?.dir ?? '', unordered));
    if (title in ACCEPTED) t.notDeepEqual(tsrun, docker, 'an accepted difference that is none any more');
    else t.deepEqual(tsrun, docker, `tsrun (-) answers otherwise than docker (+)`);
  });
}

let probe: string;
for (const [name, flags] of Object.entries(PROFILES)) {
  if (!chosen.test(`profile: ${name}`)) continue;
  test.serial(`profile: ${name}`, async (t) => {
    probe ??= builtProbe();
    const [docker, tsrun] = await Promise.all(engines.map((engine) => profileOf(engine, probe, flags)));
    t.true(docker !== undefined && docker.size > 700, 'the probe says all that it should');
    t.deepEqual(compareProfiles(name, docker ?? new Map(), tsrun ?? new Map(), PROFILE_DIFFERENCES), []);
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
