import { defineCommand, forAllTargets } from '../command.js';
import { STOP_FLAGS, stopOptions } from './stop-flags.js';

export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  flags: STOP_FLAGS,
  min: 1,
  max: Number.POSITIVE_INFINITY,
  examples: [['tsrun restart web', 'Stop web, and start it again']],
  async run(cli, flags, names) {
    const options = stopOptions(flags);
    const engine = await cli.engine();
    return forAllTargets(cli, names, (name) => engine.restart(name, options));
  },
});
