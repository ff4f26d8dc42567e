import test from 'ava';
import { planImport } from '../../src/plan/import.js';
import { parseDiffId } from '../../src/types/ids.js';

const plan = {
  platform: { os: 'linux', architecture: 'arm', variant: 'v7' },
  diffId: parseDiffId(`sha256:${'1'.repeat(64)}`),
  created: '2026-01-01T00:00:00Z',
  message: 'Imported from -',
  changes: [] as string[],
};

test('one layer, one step, and nothing that nobody said', (t) => {
  t.deepEqual(planImport(plan), {
    architecture: 'arm',
    os: 'linux',
    variant: 'v7',
    created: plan.created,
    config: {},
    rootfs: { type: 'layers', diff_ids: [plan.diffId] },
    history: [{ created: plan.created, comment: 'Imported from -' }],
  });
});

test('changes build the config from nothing', (t) => {
  const changes = ['ENV A=1', 'ENV B=$A', 'WORKDIR d', 'CMD run'];
  t.deepEqual(planImport({ ...plan, changes }).config, {
    Env: ['A=1', 'B=1'],
    WorkingDir: '/d',
    Cmd: ['/bin/sh', '-c', 'run'],
  });
  t.throws(() => planImport({ ...plan, changes: ['COPY a b'] }), {
    message: 'copy is not a valid change command',
  });
});
