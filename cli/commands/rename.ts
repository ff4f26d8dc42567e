import { defineCommand } from '../command.js';

export const command = defineCommand({
  usage: 'CONTAINER NEW_NAME',
  flags: [],
  min: 2,
  max: 2,
  async run(cli, _flags, [container = '', name = '']) {
    await (await cli.engine()).rename(container, name);
    return 0;
  },
});
