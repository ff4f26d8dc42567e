import { defineCommand } from '../command.js';
import { inspectObjects } from './inspect-objects.js';

export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  flags: [
    { name: 'format', short: 'f', kind: 'string', help: "'json' or a Go template" },
    { name: 'size', short: 's', kind: 'bool', help: 'Display total file sizes' },
  ],
  min: 1,
  max: Number.POSITIVE_INFINITY,
  async run(cli, flags, names) {
    const engine = await cli.engine();
    return inspectObjects(cli, names, flags.format, (name) =>
      engine.inspectContainer(name, { size: flags.size }),
    );
  },
});
