import { defineCommand } from '../command.js';
import { escapeControls } from '../render/escape.js';

export const command = defineCommand({
  usage: '[SERVER]',
  flags: [],
  min: 0,
  max: 1,
  examples: [['tsrun logout localhost:5000', 'Forget the credentials of one registry']],
  async run(cli, _flags, [registry]) {
    const { registry: name, failures } = await (await cli.engine()).logout(registry);
    cli.out(`Removing login credentials for ${escapeControls(name)}\n`);
    if (failures.length > 0)
      cli.err(
        `WARNING: could not erase credentials:\n${failures.map((text) => `${escapeControls(text)}\n`).join('')}`,
      );
    return 0;
  },
});
