import { TsrunError } from '../../src/errors.js';
import { defineCommand } from '../command.js';

export const command = defineCommand({
  usage: 'IMAGE',
  flags: [],
  min: 1,
  max: 1,
  examples: [['tsrun image exists redis:7 || tsrun pull redis:7', 'Only if it is not here']],
  async run(cli, _flags, [image = '']) {
    try {
      await (await cli.engine()).inspectImage(image);
      return 0;
    } catch (error) {
      if (error instanceof TsrunError && error.code === 'NOT_FOUND') return 1;
      throw error;
    }
  },
});
