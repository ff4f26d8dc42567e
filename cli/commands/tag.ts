import { defineCommand } from '../command.js';

export const command = defineCommand({
  usage: 'SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]',
  flags: [],
  min: 2,
  max: 2,
  examples: [['tsrun tag redis:7 test/redis:mine', 'A second name for the same image']],
  async run(cli, _flags, [source = '', target = '']) {
    await (await cli.engine()).tag(source, target);
    return 0;
  },
});
