import test from 'ava';
import { planRun } from '../../src/plan/run.js';
import { specText } from '../../src/plan/spec-text.js';
import { planInput } from '../helpers/plan-input.js';
import { refused } from '../helpers/refused.js';

test('who is not root is told so first', (t) => {
  const input = planInput({}, {}, { isRoot: false, hasNft: false });
  refused(t, () => planRun(input), 'permission denied: containers can only be made by root', 'HOST');
});

test('the default network needs nft, the others do not', (t) => {
  const input = (network: string) => planInput({ network }, { Cmd: ['c'] }, { hasNft: false });
  const error = t.throws(() => planRun(input('bridge')));
  t.is(error?.message, 'nft not found: the default network needs it');
  t.notThrows(() => planRun(input('none')));
  t.notThrows(() => planRun(input('host')));
});

test('a capability that we do not have is left out with a word', (t) => {
  const { spec, warnings } = planRun(
    planInput({}, { Cmd: ['c'] }, { capabilities: ['CAP_CHOWN', 'CAP_SYS_ADMIN'] }),
  );
  t.deepEqual(spec.process.capabilities?.bounding, ['CAP_CHOWN']);
  t.is(warnings.length, 1);
  t.true(warnings[0]?.includes('CAP_KILL'));
  t.deepEqual(planRun(planInput({})).warnings, []);
});

test('limits stay below our own, and so does the OOM score where it must', (t) => {
  const limits = (nofileHard: number) =>
    planRun(planInput({}, undefined, { hardLimits: { nofile: nofileHard } })).spec.process.rlimits?.[1];
  t.deepEqual(limits(4e6), { type: 'RLIMIT_NOFILE', soft: 1024, hard: 1048576 });
  t.deepEqual(limits(20000), { type: 'RLIMIT_NOFILE', soft: 1024, hard: 20000 });
  t.deepEqual(limits(256), { type: 'RLIMIT_NOFILE', soft: 256, hard: 256 });
  const score = (oomScoreAdj: number, capabilities: string[]) =>
    planRun(planInput({}, undefined, { oomScoreAdj, capabilities })).spec.process.oomScoreAdj;
  t.is(score(300, []), 300);
  t.is(score(-300, []), 0);
  t.is(score(300, ['CAP_SYS_RESOURCE']), 0);
});

test('every number in the documents survives JSON', (t) => {
  const { spec, launch } = planRun(planInput({}));
  const text = specText(spec) + JSON.stringify(launch);
  for (const [number] of text.matchAll(/(?<=[:,[])-?\d+(?=[,\]}])/g)) {
    // Unlimited, as the spec has it.
    if (number !== '18446744073709551615') t.true(Number.isSafeInteger(Number(number)), number);
  }
});
