import test from 'ava';
import { CONTAINER_FLAGS, containerOptions } from '../../cli/commands/container-flags.js';
import { RUN_FLAGS, runOptions } from '../../cli/commands/run-flags.js';
import { type Flag, type FlagValues, scan } from '../../cli/flags.js';
import { typedValues } from '../../cli/parser.js';
import { UsageError } from '../../cli/usage.js';

const values = (argv: string[], flags: readonly Flag[] = RUN_FLAGS) =>
  typedValues(scan(argv, flags, false).tokens, flags) as FlagValues<typeof RUN_FLAGS>;
const options = (...argv: string[]) => runOptions(values(argv), ['busybox']);

test('every flag of a container reaches the engine, as it was typed', (t) => {
  const untold = options();
  for (const flag of CONTAINER_FLAGS as readonly Flag[]) {
    if (flag.hidden && flag.name !== 'dns-opt') continue;
    const word = flag.kind === 'bool' ? `--${flag.name}` : `--${flag.name}=7`;
    const told = options(word);
    const changed = Object.entries(told).filter(
      ([name, value]) => JSON.stringify(value) !== JSON.stringify(untold[name as keyof typeof untold]),
    );
    const expected =
      flag.kind === 'bool' ? true : flag.kind === 'int' ? 7 : flag.kind === 'list' ? ['7'] : '7';
    t.deepEqual(
      changed.map(([, value]) => value),
      [expected],
      flag.name,
    );
  }
});

test('short forms', (t) => {
  t.like(options('-m', '64m', '-c', '512', '-a', 'stdout'), {
    memory: '64m',
    cpuShares: 512,
    attach: ['stdout'],
  });
});

test('flags that Docker has and tsrun has not are told apart from slips', (t) => {
  const ask = (...argv: string[]) => containerOptions(values(argv));
  for (const argv of [['--gpus', 'all'], ['--oom-kill-disable'], ['--isolation', 'hyperv']]) {
    const error = t.throws(() => ask(...argv), { instanceOf: UsageError });
    t.is(error?.message, `tsrun: ${argv[0]} is not supported`);
    t.is(error?.exitCode, 125);
  }
  t.notThrows(() => ask('--isolation', 'default', '--memory-swappiness=-1', '--volume-driver', 'local'));
});
