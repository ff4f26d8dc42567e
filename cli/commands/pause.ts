import { defineCommand, forAllTargets } from '../command.js';

export const command = defineCommand({
  usage: 'CONTAINER [CONTAINER...]',
  flags: [],
  min: 1,
  max: Number.POSITIVE_INFINITY,
  async run(cli, _flags, names) {
    const engine = await cli.engine();
    return forAllTargets(cli, names, (name) => engine.pause(name));
  },
});
