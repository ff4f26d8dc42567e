import test from 'ava';
import type { HostFacts } from '../../src/host/facts.js';
import { parseUpdate } from '../../src/intent/update.js';
import { planRun } from '../../src/plan/run.js';
import { planUpdate, restartOf, withResources } from '../../src/plan/update.js';
import type { RunOptions, UpdateOptions } from '../../src/types/engine.js';
import { planInput, someHost } from '../helpers/plan-input.js';
import { refused } from '../helpers/refused.js';

const MB = 1024 ** 2;
const ID = 'f'.repeat(64);

function plan(before: Partial<RunOptions>, options: UpdateOptions, facts: Partial<HostFacts> = {}) {
  const input = planInput(before, { Cmd: ['c'] }, facts);
  const { hostConfig, spec } = planRun(input);
  const planned = planUpdate({
    intent: parseUpdate(options),
    id: ID,
    hostConfig,
    autoRemove: before.rm ?? false,
    facts: { ...someHost, ...facts },
  });
  return { ...planned, before: hostConfig, spec };
}

test('what is asked for changes, the rest stays', (t) => {
  const both = plan(
    { memory: '64m', cpuShares: 512, pidsLimit: 10 },
    { memory: '100m', memorySwap: '300m', cpus: '0.5' },
  );
  t.deepEqual(both.resources, {
    memory: { limit: 100 * MB, swap: 300 * MB },
    cpu: { shares: 512, quota: 50_000, period: 100_000 },
    pids: { limit: 10 },
  });
  t.deepEqual(both.hostConfig, {
    ...both.before,
    Memory: 100 * MB,
    MemorySwap: 300 * MB,
    NanoCpus: 5e8,
  });
  // Swap that was planned with the memory is a limit of its own from then on.
  t.like(plan({ memory: '64m' }, { memory: '32m' }).hostConfig, { Memory: 32 * MB, MemorySwap: 128 * MB });
  t.like(plan({}, { cpusetCpus: '0', cpuQuota: 5000, cpuPeriod: 10_000 }).resources.cpu, {
    cpus: '0',
    quota: 5000,
    period: 10_000,
  });
});

test('no limit of processes any more is said to the cgroup', (t) => {
  const { hostConfig, resources } = plan({ pidsLimit: 10 }, { pidsLimit: -1 });
  t.is(hostConfig.PidsLimit, null);
  t.deepEqual(resources.pids, { limit: -1 });
});

test('the restart policy, as HostConfig shows it and as the monitor reads it', (t) => {
  const { hostConfig, restart } = plan({}, { restart: 'on-failure:3' });
  t.deepEqual(hostConfig.RestartPolicy, { Name: 'on-failure', MaximumRetryCount: 3 });
  t.deepEqual(restart, { policy: 'on-failure', maxRetries: 3 });
  t.deepEqual(plan({ restart: 'always' }, { cpus: 1 }).restart, { policy: 'always', maxRetries: 0 });
  t.deepEqual(restartOf({}), { policy: 'no', maxRetries: 0 });
  t.deepEqual(restartOf({ RestartPolicy: { Name: 'bogus' } }), { policy: 'no', maxRetries: 0 });
});

test('refused in the words of Docker', (t) => {
  const cannot = `Cannot update container ${ID}: `;
  const swap =
    'Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time';
  const table: [Partial<RunOptions>, UpdateOptions, string][] = [
    [{}, {}, 'you must provide one or more flags when using this command'],
    [{}, { memory: '64m' }, cannot + swap],
    [{ memory: '64m' }, { memory: '256m' }, cannot + swap],
    [
      { memory: '64m' },
      { memorySwap: '32m' },
      `${cannot}Minimum memoryswap limit should be larger than memory limit, see usage`,
    ],
    [{}, { memory: '4m' }, 'Minimum memory limit allowed is 6MB'],
    [
      { cpus: 1 },
      { cpuQuota: 20_000 },
      `${cannot}Conflicting options: CPU Quota cannot be updated as NanoCPUs has already been set`,
    ],
    [
      { cpuPeriod: 20_000 },
      { cpus: 1 },
      `${cannot}Conflicting options: Nano CPUs cannot be updated as CPU Period has already been set`,
    ],
    [
      { rm: true },
      { restart: 'always' },
      `${cannot}Restart policy cannot be updated because AutoRemove is enabled for the container`,
    ],
    [{}, { restart: 'always:3' }, "maximum retry count cannot be used with restart policy 'always'"],
    [{}, { restart: 'bogus' }, "invalid restart policy 'bogus'"],
  ];
  for (const [before, options, message] of table) {
    refused(t, () => plan(before, options), message, 'USAGE', 'FLAG', 'CONFLICT');
  }
  t.notThrows(() => plan({ rm: true }, { restart: 'no' }));
  t.notThrows(() => plan({}, { memorySwap: '64m' }));
});

test('config.json keeps its devices', (t) => {
  const { spec, resources } = plan({ memory: '64m' }, { pidsLimit: 7 });
  const changed = withResources(spec, resources);
  t.deepEqual(changed.linux.resources, {
    devices: spec.linux.resources?.devices,
    memory: { limit: 64 * MB, swap: 128 * MB },
    pids: { limit: 7 },
  });
  t.deepEqual(
    { ...changed, linux: { ...changed.linux, resources: undefined } },
    {
      ...spec,
      linux: { ...spec.linux, resources: undefined },
    },
  );
});
