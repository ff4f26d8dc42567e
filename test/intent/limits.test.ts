import test from 'ava';
import { type Limits, parseCpuList, parseLimits } from '../../src/intent/limits.js';
import { parseUlimits } from '../../src/intent/ulimit.js';
import type { LimitOptions } from '../../src/types/run-options.js';
import { refused } from '../helpers/refused.js';

const MB = 1024 ** 2;
const given = (options: LimitOptions): Limits => JSON.parse(JSON.stringify(parseLimits(options)));

test('limits: what they mean', (t) => {
  const table: [LimitOptions, Limits][] = [
    [{}, {}],
    [{ memory: '', cpus: '', cpusetCpus: '', cpuShares: 0, cpuQuota: 0 }, {}],
    [{ memory: '0', cpus: '0', blkioWeight: 0 }, {}],
    [{ memory: '1.5g' }, { memory: 1536 * MB }],
    [{ memory: 8 * MB }, { memory: 8 * MB }],
    [
      { memory: '100m', memorySwap: '-1' },
      { memory: 100 * MB, memorySwap: -1 },
    ],
    [
      { memory: '6m', memorySwap: '6m' },
      { memory: 6 * MB, memorySwap: 6 * MB },
    ],
    [{ memoryReservation: '7m' }, { memoryReservation: 7 * MB }],
    [{ cpus: '1.5' }, { nanoCpus: 1.5e9 }],
    [{ cpus: '.5' }, { nanoCpus: 5e8 }],
    [{ cpus: '1/2' }, { nanoCpus: 5e8 }],
    [{ cpus: '1e-2' }, { nanoCpus: 1e7 }],
    [{ cpus: 0.1 }, { nanoCpus: 1e8 }],
    [{ cpus: '0.123456789' }, { nanoCpus: 123456789 }],
    [{ cpuQuota: -1 }, { cpuQuota: -1 }],
    [{ pidsLimit: 10 }, { pids: 10 }],
    [{ pidsLimit: 0 }, { pids: -1 }],
    [{ pidsLimit: -5 }, { pids: -1 }],
    [
      { cpusetCpus: '0-1,3', cpusetMems: '0' },
      { cpusetCpus: '0-1,3', cpusetMems: '0' },
    ],
    [
      { cpuShares: 2, cpuPeriod: 1000, cpuQuota: 1000 },
      { cpuShares: 2, cpuPeriod: 1000, cpuQuota: 1000 },
    ],
  ];
  for (const [options, expected] of table) t.deepEqual(given(options), expected, JSON.stringify(options));
  t.deepEqual(parseCpuList('0-2,5', 'cpus'), [0, 1, 2, 5]);
});

test('limits: what is refused, in Docker’s words', (t) => {
  const flag = (value: string, name: string, reason: string) =>
    `invalid argument "${value}" for "${name}" flag: ${reason}`;
  const table: [LimitOptions, string][] = [
    [{ memory: '-1' }, flag('-1', '-m, --memory', "invalid size: '-1'")],
    [{ memory: 'abc' }, flag('abc', '-m, --memory', "invalid size: 'abc'")],
    [{ memory: '4m' }, 'Minimum memory limit allowed is 6MB'],
    [{ memory: '5m', memorySwap: '3m' }, 'Minimum memory limit allowed is 6MB'],
    [{ memorySwap: '-5' }, flag('-5', '--memory-swap', "invalid size: '-5'")],
    [
      { memory: '100m', memorySwap: '50m' },
      'Minimum memoryswap limit should be larger than memory limit, see usage',
    ],
    [{ memorySwap: '100m' }, 'You should always set the Memory limit when using Memoryswap limit, see usage'],
    [{ memoryReservation: '1m' }, 'Minimum memory reservation allowed is 6MB'],
    [
      { memory: '100m', memoryReservation: '200m' },
      'Minimum memory limit can not be less than memory reservation limit, see usage',
    ],
    [{ cpus: 'abc' }, flag('abc', '--cpus', 'failed to parse abc as a rational number')],
    [{ cpus: '1/0' }, flag('1/0', '--cpus', 'failed to parse 1/0 as a rational number')],
    [{ cpus: '1.1234567891' }, flag('1.1234567891', '--cpus', 'value is too precise')],
    [{ cpus: '1', cpuQuota: 5000 }, 'Conflicting options: Nano CPUs and CPU Quota cannot both be set'],
    [{ cpus: '1', cpuPeriod: 5000 }, 'Conflicting options: Nano CPUs and CPU Period cannot both be set'],
    [{ cpuShares: 1 }, 'invalid CPU shares (1): the minimum allowed cpu-shares is 2'],
    [{ cpuShares: -1 }, 'invalid CPU shares (-1): the minimum allowed cpu-shares is 2'],
    ...[100, 2000000, -1].map((cpuPeriod): [LimitOptions, string] => [
      { cpuPeriod },
      'CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)',
    ]),
    [{ cpuQuota: 100 }, 'CPU cfs quota can not be less than 1ms (i.e. 1000)'],
    ...['abc', '1-0', '0,,1', '-1', '0-'].map((cpusetCpus): [LimitOptions, string] => [
      { cpusetCpus },
      `Invalid value ${cpusetCpus} for cpuset cpus: invalid format: ${cpusetCpus}`,
    ]),
    [{ cpusetMems: 'x' }, 'Invalid value x for cpuset mems: invalid format: x'],
    [{ blkioWeight: 5 }, 'Range of blkio weight is from 10 to 1000'],
    [{ blkioWeight: 1001 }, 'Range of blkio weight is from 10 to 1000'],
  ];
  for (const [options, message] of table) refused(t, () => parseLimits(options), message);
});

test('ulimits', (t) => {
  t.deepEqual(parseUlimits(['nofile=10:20', 'core=-1', 'nofile=5', 'cpu=1:-1']), [
    { name: 'core', soft: -1, hard: -1 },
    { name: 'cpu', soft: 1, hard: -1 },
    { name: 'nofile', soft: 5, hard: 5 },
  ]);
  const table: [string, string][] = [
    ['nofile', 'invalid ulimit argument: nofile'],
    ['foo=1', 'invalid ulimit type: foo'],
    ['__proto__=1', 'invalid ulimit type: __proto__'],
    ['nofile=a', 'strconv.ParseInt: parsing "a": invalid syntax'],
    ['nofile=', 'strconv.ParseInt: parsing "": invalid syntax'],
    ['core=unlimited', 'strconv.ParseInt: parsing "unlimited": invalid syntax'],
    ['nofile=99999999999999999999', 'strconv.ParseInt: parsing "99999999999999999999": value out of range'],
    ['nofile=1:2:3', 'too many limit value arguments - 1:2:3, can only have up to two, `soft[:hard]`'],
    ['nofile=10:5', 'ulimit soft limit must be less than or equal to hard limit: 10 > 5'],
    [
      'core=-1:5',
      'ulimit soft limit must be less than or equal to hard limit: soft: -1 (unlimited), hard: 5',
    ],
    ['nofile=-5', 'invalid ulimit value: -5: only -1, for unlimited, may be negative'],
  ];
  for (const [text, reason] of table) {
    refused(t, () => parseUlimits([text]), `invalid argument "${text}" for "--ulimit" flag: ${reason}`);
  }
});
