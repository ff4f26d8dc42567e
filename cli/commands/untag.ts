import { defineCommand } from '../command.js';

export const command = defineCommand({
  usage: 'IMAGE [NAME...]',
  flags: [],
  min: 1,
  max: Number.POSITIVE_INFINITY,
  examples: [
    ['tsrun untag redis:7 test/redis:mine', 'Take one name from an image'],
    ['tsrun untag 3f2a', 'Take all of them; the image stays'],
  ],
  async run(cli, _flags, [image = '', ...names]) {
    await (await cli.engine()).untag(image, names);
    return 0;
  },
});
