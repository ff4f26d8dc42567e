import { defineCommand } from '../command.js';
import { escapeControls } from '../render/escape.js';
import { madeAt, TIMESTAMP } from './made-at.js';

export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER [REPOSITORY[:TAG]]',
  flags: [
    { name: 'message', short: 'm', kind: 'string', help: 'Commit message' },
    { name: 'author', short: 'a', kind: 'string', help: 'Author (e.g., "Ada <ada@example.com>")' },
    { name: 'change', short: 'c', kind: 'list', help: 'Apply a Dockerfile instruction to the created image' },
    { name: 'pause', short: 'p', kind: 'bool', help: 'Pause the container during the commit', default: true },
    { name: 'squash', kind: 'bool', help: 'One layer with all that lies below, in place of one layer more' },
    {
      name: 'include-volumes',
      kind: 'bool',
      help: 'Put the content of its volumes into the layer, at their mount points',
    },
    TIMESTAMP,
    { name: 'no-pause', kind: 'bool', help: 'Do not pause the container during the commit' },
  ],
  min: 1,
  max: 2,
  examples: [
    [
      "tsrun commit -m 'add vim' -a 'me' 3f2a test/ubuntu-vim:latest",
      'The changes of a container as a new top layer',
    ],
    [
      'tsrun commit --include-volumes db test/db:filled',
      'A database with its data, also where the image declares a VOLUME for them',
    ],
    [`tsrun commit -c 'CMD ["redis-server"]' web test/web`, 'With another default command'],
  ],
  async run(cli, flags, [container = '', repository]) {
    const id = await (await cli.engine()).commit(container, {
      repository,
      message: flags.message,
      author: flags.author,
      changes: flags.change,
      squash: flags.squash,
      includeVolumes: flags['include-volumes'],
      timestamp: madeAt(cli, flags.timestamp),
      onWarning: (text) => cli.err(`WARNING: ${escapeControls(text)}\n`),
      pause: flags.pause && !flags['no-pause'],
    });
    cli.out(`${id}\n`);
    return 0;
  },
});
