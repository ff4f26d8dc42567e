import { defineCommand } from '../command.js';
import { escapeControls } from '../render/escape.js';

export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER [REPOSITORY[:TAG]]',
  flags: [
    { name: 'message', short: 'm', kind: 'string', help: 'Commit message' },
    { name: 'author', short: 'a', kind: 'string', help: 'Author (e.g., "Ada <ada@example.com>")' },
    { name: 'change', short: 'c', kind: 'list', help: 'Apply a Dockerfile instruction to the created image' },
    { name: 'pause', short: 'p', kind: 'bool', help: 'Pause the container during the commit', default: true },
    { name: 'no-pause', kind: 'bool', help: 'Do not pause the container during the commit' },
  ],
  min: 1,
  max: 2,
  examples: [
    [
      "tsrun commit -m 'add vim' -a 'me' 3f2a test/ubuntu-vim:latest",
      'The changes of a container as a new top layer',
    ],
    [`tsrun commit -c 'CMD ["redis-server"]' web test/web`, 'With another default command'],
  ],
  async run(cli, flags, [container = '', repository]) {
    const id = await (await cli.engine()).commit(container, {
      repository,
      message: flags.message,
      author: flags.author,
      changes: flags.change,
      onWarning: (text) => cli.err(`WARNING: ${escapeControls(text)}\n`),
      pause: flags.pause && !flags['no-pause'],
    });
    cli.out(`${id}\n`);
    return 0;
  },
});
