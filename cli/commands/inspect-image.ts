import { defineCommand } from '../command.js';
import { inspectObjects } from './inspect-objects.js';

export const command = defineCommand({
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  flags: [{ name: 'format', short: 'f', kind: 'string', help: "'json' or a Go template" }],
  min: 1,
  max: Number.POSITIVE_INFINITY,
  async run(cli, flags, names) {
    const engine = await cli.engine();
    return inspectObjects(cli, names, flags.format, (name) => engine.inspectImage(name));
  },
});
