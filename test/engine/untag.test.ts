import test from 'ava';
import { creationTime } from '../../src/engine/clock.js';
import { withDigests } from '../../src/engine/untag.js';

const DIGEST = `sha256:${'a'.repeat(64)}`;

test('the name by digest goes with the last tag of its repository', (t) => {
  const digests = [`r/a@${DIGEST}`, `r/b@${DIGEST}`];
  const tags = ['r/a:1', 'r/a:2', 'r/b:1'];
  t.deepEqual(withDigests(['r/a:1'], tags, digests), ['r/a:1']);
  t.deepEqual(withDigests(['r/a:1', 'r/a:2'], tags, digests), ['r/a:1', 'r/a:2', `r/a@${DIGEST}`]);
  t.deepEqual(withDigests(['r/b:1'], tags, digests), ['r/b:1', `r/b@${DIGEST}`]);
  t.deepEqual(withDigests([`r/b@${DIGEST}`], tags, digests), [`r/b@${DIGEST}`]);
});

test('times that a user gives', (t) => {
  t.is(creationTime(0), '1970-01-01T00:00:00Z');
  t.is(creationTime(1_700_000_000), '2023-11-14T22:13:20Z');
  for (const bad of [-1, 1.5, Number.NaN, 1e15]) t.throws(() => creationTime(bad), { code: 'USAGE' });
});
