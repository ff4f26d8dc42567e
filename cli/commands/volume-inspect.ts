import { defineCommand } from '../command.js';
import { inspectObjects } from './inspect-objects.js';

const unknownField = (name: string) => `can't evaluate field ${name} in type volume.Volume`;

export const command = defineCommand({
  usage: '[OPTIONS] VOLUME [VOLUME...]',
  flags: [{ name: 'format', short: 'f', kind: 'string', help: "'json' or a Go template" }],
  min: 1,
  max: Number.POSITIVE_INFINITY,
  examples: [["tsrun volume inspect -f '{{.Mountpoint}}' data", 'Where the content of data is']],
  async run(cli, flags, names) {
    const engine = await cli.engine();
    return inspectObjects(cli, names, flags.format, (name) => engine.volumes.inspect(name), unknownField);
  },
});
