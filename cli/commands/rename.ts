import { defineCommand } from '../command.js';
import { escapeControls } from '../render/escape.js';

export const command = defineCommand({
  usage: 'CONTAINER NEW_NAME',
  flags: [],
  min: 2,
  max: 2,
  async run(cli, _flags, [container = '', name = '']) {
    const engine = await cli.engine();
    try {
      await engine.rename(container, name);
      return 0;
    } catch (error) {
      cli.report(error);
      if (name !== '') cli.err(`tsrun: failed to rename container named ${escapeControls(container)}\n`);
      return 1;
    }
  },
});
