import { TsrunError } from '../../src/errors.js';
import { defineCommand } from '../command.js';

export const command = defineCommand({
  usage: 'CONTAINER',
  flags: [],
  min: 1,
  max: 1,
  examples: [['tsrun container exists web || tsrun run -d --name web nginx', 'Only if there is none']],
  async run(cli, _flags, [container = '']) {
    try {
      await (await cli.engine()).inspectContainer(container);
      return 0;
    } catch (error) {
      if (error instanceof TsrunError && error.code === 'NOT_FOUND') return 1;
      throw error;
    }
  },
});
