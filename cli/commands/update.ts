import { parseUpdate } from '../../src/intent/update.js';
import type { UpdateOptions } from '../../src/types/engine.js';
import { defineCommand, forEachTarget } from '../command.js';
import type { FlagValues } from '../flags.js';
import { UsageError } from '../usage.js';
import { CONTAINER_FLAGS } from './container-flags.js';

const NAMES = [
  'memory',
  'memory-swap',
  'memory-reservation',
  'cpus',
  'cpu-shares',
  'cpu-period',
  'cpu-quota',
  'cpuset-cpus',
  'cpuset-mems',
  'pids-limit',
  'blkio-weight',
] as const;

type LimitFlag = Extract<(typeof CONTAINER_FLAGS)[number], { name: (typeof NAMES)[number] }>;

function isLimit(flag: (typeof CONTAINER_FLAGS)[number]): flag is LimitFlag {
  return NAMES.some((name) => name === flag.name);
}

/** Docker has them, and tsrun has not. */
const UNSUPPORTED = ['cpu-rt-period', 'cpu-rt-runtime', 'kernel-memory'] as const;

const FLAGS = [
  ...CONTAINER_FLAGS.filter(isLimit),
  {
    name: 'restart',
    kind: 'string',
    help: 'When to start it again: no, on-failure[:N], always, unless-stopped',
  },
  ...UNSUPPORTED.map((name) => ({ name, kind: 'string', help: '', hidden: true }) as const),
] as const;

export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  flags: FLAGS,
  min: 1,
  max: Number.POSITIVE_INFINITY,
  examples: [
    ['tsrun update --memory 512m --memory-swap 1g web', 'Other limits, also while it runs'],
    ['tsrun update --restart unless-stopped web db', 'Start them again from now on'],
  ],
  async run(cli, flags, names) {
    const unsupported = UNSUPPORTED.find((name) => flags[name] !== undefined);
    if (unsupported) throw new UsageError(`tsrun: --${unsupported} is not supported`, 125);
    const options = optionsOf(flags);
    // What the flags cannot mean ends the verb before any container is looked at.
    parseUpdate(options);
    const engine = await cli.engine();
    const warnings: string[] = [];
    const code = await forEachTarget(cli, names, async (name) => {
      warnings.push(...(await engine.update(name, options)).warnings);
      cli.out(`${name}\n`);
    });
    for (const warning of warnings) cli.out(`${warning}\n`);
    return code;
  },
});

function optionsOf(flags: FlagValues<typeof FLAGS>): UpdateOptions {
  return {
    memory: flags.memory,
    memorySwap: flags['memory-swap'],
    memoryReservation: flags['memory-reservation'],
    cpus: flags.cpus,
    cpuShares: flags['cpu-shares'],
    cpuPeriod: flags['cpu-period'],
    cpuQuota: flags['cpu-quota'],
    cpusetCpus: flags['cpuset-cpus'],
    cpusetMems: flags['cpuset-mems'],
    pidsLimit: flags['pids-limit'],
    blkioWeight: flags['blkio-weight'],
    restart: flags.restart,
  };
}
