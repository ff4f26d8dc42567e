import test from 'ava';
import { wantsBoot } from '../../src/plan/boot.js';

const lost = {
  exitCode: 137,
  oomKilled: false,
  startedAt: '2026-01-01T00:00:00Z',
  finishedAt: '2026-01-01T00:00:01Z',
};
const policy = (name: 'no' | 'on-failure' | 'always' | 'unless-stopped', maxRetries = 0) => ({
  policy: name,
  maxRetries,
});

test('after a reboot, policies decide as Docker does', (t) => {
  t.true(wantsBoot(policy('always'), lost, true));
  t.true(wantsBoot(policy('unless-stopped'), lost, false));
  t.false(wantsBoot(policy('unless-stopped'), lost, true));
  t.true(wantsBoot(policy('on-failure'), lost, false));
  t.false(wantsBoot(policy('on-failure'), { ...lost, exitCode: 0 }, false));
  t.false(wantsBoot(policy('on-failure', 2), { ...lost, restartCount: 2 }, false));
  t.false(wantsBoot(policy('no'), lost, false));
  t.false(wantsBoot(undefined, lost, false));
});

test('what has never run does not start with the machine', (t) => {
  t.false(wantsBoot(policy('always'), undefined, false));
  t.false(
    wantsBoot(policy('always'), { exitCode: 127, oomKilled: false, finishedAt: lost.finishedAt }, false),
  );
});
