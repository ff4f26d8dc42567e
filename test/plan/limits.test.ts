import test from 'ava';
import type { HostFacts } from '../../src/host/facts.js';
import { planRun } from '../../src/plan/run.js';
import { specText } from '../../src/plan/spec-text.js';
import type { RunOptions } from '../../src/types/engine.js';
import { planInput, someHost } from '../helpers/plan-input.js';
import { refused } from '../helpers/refused.js';

const plan = (options: Partial<RunOptions>, facts: Partial<HostFacts> = {}) =>
  planRun(planInput(options, { Cmd: ['c'] }, facts));
const MB = 1024 ** 2;

test('limits become resources and stand in HostConfig', (t) => {
  const table: [Partial<RunOptions>, object, object][] = [
    [{}, {}, { Memory: 0, MemorySwap: 0, NanoCpus: 0, PidsLimit: null }],
    [
      { memory: '100m' },
      { memory: { limit: 100 * MB, swap: 200 * MB } },
      { Memory: 100 * MB, MemorySwap: 200 * MB },
    ],
    [
      { memory: '100m', memorySwap: -1, memoryReservation: '50m' },
      { memory: { limit: 100 * MB, swap: -1, reservation: 50 * MB } },
      { MemorySwap: -1, MemoryReservation: 50 * MB },
    ],
    [
      { cpus: '1.5' },
      { cpu: { quota: 150000, period: 100000 } },
      { NanoCpus: 1.5e9, CpuQuota: 0, CpuPeriod: 0 },
    ],
    [
      { cpuQuota: 5000, cpuPeriod: 10000, cpuShares: 512 },
      { cpu: { shares: 512, quota: 5000, period: 10000 } },
      { CpuShares: 512, CpuQuota: 5000, CpuPeriod: 10000 },
    ],
    [
      { cpusetCpus: '1,3', cpusetMems: '0' },
      { cpu: { cpus: '1,3', mems: '0' } },
      { CpusetCpus: '1,3', CpusetMems: '0' },
    ],
    [{ pidsLimit: 9 }, { pids: { limit: 9 } }, { PidsLimit: 9 }],
    [{ pidsLimit: -1 }, {}, { PidsLimit: null }],
    [{ blkioWeight: 300 }, { blockIO: { weight: 300 } }, { BlkioWeight: 300 }],
  ];
  for (const [options, resources, api] of table) {
    const { spec, hostConfig, warnings } = plan(options);
    const { devices: _, ...rest } = JSON.parse(specText(spec)).linux.resources;
    t.deepEqual(rest, resources, JSON.stringify(options));
    t.like(hostConfig, api);
    t.deepEqual(warnings, []);
  }
});

test('nothing is promised that the machine does not have', (t) => {
  const range = 'Range of CPUs is from 0.01 to 4.00, as there are only 4 CPUs available';
  refused(t, () => plan({ cpus: '4.5' }), range);
  refused(t, () => plan({ cpus: '0.001' }), range);
  refused(t, () => plan({ cpus: '-1' }), range);
  t.notThrows(() => plan({ cpus: '4' }));
  refused(
    t,
    () => plan({ cpusetCpus: '0-99' }),
    'Requested CPUs are not available - requested 0-99, available: 0-3',
  );
  refused(
    t,
    () => plan({ cpusetMems: '1' }),
    'Requested memory nodes are not available - requested 1, available: 0',
  );
});

test('without swap accounting memory alone is limited, with a word; --memory-swap is refused', (t) => {
  const cgroup = { ...someHost.cgroup, swapLimit: false };
  const { spec, warnings, hostConfig } = plan({ memory: '100m' }, { cgroup });
  t.deepEqual(JSON.parse(specText(spec)).linux.resources.memory, { limit: 100 * MB });
  t.is(hostConfig.MemorySwap, 0);
  t.true(warnings[0]?.startsWith('Your kernel does not support swap limit capabilities'));
  refused(
    t,
    () => plan({ memory: '100m', memorySwap: '200m' }, { cgroup }),
    'the kernel does not limit swap here: --memory-swap cannot be enforced',
    'HOST',
  );
  t.deepEqual(plan({ memory: '100m', memorySwap: '-1' }, { cgroup }).warnings, []);
});

test('a weight that no scheduler knows is dropped with a word', (t) => {
  const { spec, warnings } = plan(
    { blkioWeight: 300 },
    { cgroup: { ...someHost.cgroup, blkioWeight: false } },
  );
  t.is(spec.linux.resources?.blockIO, undefined);
  t.is(warnings.length, 1);
});

test('ulimits: ours are the ceiling without CAP_SYS_RESOURCE', (t) => {
  const facts = {
    capabilities: someHost.capabilities.filter((name) => name !== 'CAP_SYS_RESOURCE'),
    hardLimits: { nofile: 20000, core: 5 },
  };
  const limits = (ulimit: string[]) => plan({ ulimit }, facts).spec.process.rlimits;
  t.deepEqual(limits(['nofile=20000', 'memlock=-1']), [
    { type: 'RLIMIT_CORE', soft: 0, hard: 5 },
    { type: 'RLIMIT_NOFILE', soft: 20000, hard: 20000 },
    { type: 'RLIMIT_MEMLOCK', soft: 2 ** 64, hard: 2 ** 64 },
  ]);
  const above = (name: string, wanted: string, ceiling: number) =>
    `error setting rlimit ${name}: ${wanted} is above the highest value possible here, ${ceiling}: operation not permitted`;
  refused(t, () => limits(['nofile=20001']), above('nofile', '20001', 20000), 'HOST');
  refused(t, () => limits(['core=0:-1']), above('core', 'unlimited', 5), 'HOST');
  t.notThrows(() => plan({ ulimit: ['nofile=20001'] }, { hardLimits: { nofile: 20000 } }));
  t.deepEqual(plan({ ulimit: ['nofile=1:2'] }).hostConfig.Ulimits, [{ Name: 'nofile', Hard: 2, Soft: 1 }]);
});

test('unlimited is written as the kernel has it, also when it was read before', (t) => {
  const { spec } = plan({ ulimit: ['core=-1'], command: ['"hard":18446744073709552000,'] });
  const text = specText(spec);
  t.true(text.includes('"soft":18446744073709551615') && text.includes('"hard":18446744073709551615'));
  t.true(text.includes('\\"hard\\":18446744073709552000'));
  t.is(specText(JSON.parse(text)), text);
});

test('an OOM score below our own needs CAP_SYS_RESOURCE', (t) => {
  const score = (oomScoreAdj: number, own: number, capabilities: string[] = []) =>
    plan({ oomScoreAdj }, { oomScoreAdj: own, capabilities }).spec.process.oomScoreAdj;
  t.is(score(500, 100), 500);
  t.is(score(100, 100), 100);
  t.is(score(-500, 0, ['CAP_SYS_RESOURCE']), -500);
  refused(
    t,
    () => score(-500, 0),
    'error setting oom_score_adj: -500 is below the lowest value possible here, 0: permission denied',
    'HOST',
  );
});
