import { defineCommand } from '../command.js';
import { UsageError } from '../usage.js';

export const command = defineCommand({
  usage: '[OPTIONS] [VOLUME]',
  flags: [
    { name: 'driver', short: 'd', kind: 'string', help: 'Volume driver: local', default: 'local' },
    { name: 'label', kind: 'list', help: 'Set metadata: KEY or KEY=VALUE' },
    { name: 'name', kind: 'string', help: 'Volume name', hidden: true },
    { name: 'opt', short: 'o', kind: 'list', help: 'Option of the driver: local has none yet', hidden: true },
  ],
  min: 0,
  max: 1,
  examples: [
    ['tsrun volume create data', 'A named volume, for -v data:/var/lib/data'],
    [
      'tsrun volume create -o type=tmpfs -o device=tmpfs -o o=size=64m scratch',
      'Memory, empty at every start',
    ],
    [
      'tsrun volume create -o type=none -o o=bind -o device=/srv/www www',
      'A directory of the host under a name',
    ],
    ['tsrun volume create --label stage=test', 'Without a name: a random one is printed'],
  ],
  async run(cli, flags, [argument]) {
    if (argument !== undefined && flags.name)
      throw new UsageError(
        'conflicting options: cannot specify a volume-name through both --name and as a positional arg',
        1,
      );
    const name = argument ?? (flags.name || undefined);
    if (flags.driver !== 'local')
      throw new UsageError(
        `tsrun: create ${name ?? ''}: error looking up volume plugin ${flags.driver}: plugin "${flags.driver}" not found`,
        1,
        { usage: false },
      );
    const engine = await cli.engine();
    const volume = await engine.volumes.create({
      name,
      labels: pairsOf(flags.label),
      options: pairsOf(flags.opt),
    });
    cli.out(`${volume.Name}\n`);
    return 0;
  },
});

function pairsOf(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=');
      return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}
