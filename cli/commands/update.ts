import { parseUpdate } from '../../src/intent/update.js';
import { defineCommand, forEachTarget } from '../command.js';
import { UsageError } from '../usage.js';
import {
  CHANGEABLE_LIMITS,
  type ChangeableLimit,
  CONTAINER_FLAGS,
  changeableLimits,
} from './container-flags.js';

type LimitFlag = Extract<(typeof CONTAINER_FLAGS)[number], { name: ChangeableLimit }>;

function isLimit(flag: (typeof CONTAINER_FLAGS)[number]): flag is LimitFlag {
  return CHANGEABLE_LIMITS.some((name) => name === flag.name);
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
    const options = { ...changeableLimits(flags), restart: flags.restart };
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
