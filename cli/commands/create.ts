import { defineCommand } from '../command.js';
import { escapeControls } from '../render/escape.js';
import { implicitPull } from './implicit-pull.js';
import { RUN_FLAGS, runOptions } from './run-flags.js';

export const command = defineCommand({
  usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  flags: RUN_FLAGS,
  min: 1,
  max: Number.POSITIVE_INFINITY,
  interspersed: false,
  examples: [['tsrun create --name web nginx', 'Create it now, start it later']],
  async run(cli, flags, args) {
    const options = runOptions(flags, args);
    const engine = await cli.engine();
    const pull = implicitPull(cli, { quiet: flags.quiet, announce: options.pull === 'missing' });
    try {
      const { id, warnings } = await engine.create({ ...options, ...pull.options });
      for (const warning of warnings) cli.err(`WARNING: ${escapeControls(warning)}\n`);
      cli.out(`${id}\n`);
    } finally {
      pull.done();
    }
    return 0;
  },
});
