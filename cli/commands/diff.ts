import { defineCommand } from '../command.js';
import { escapeControls } from '../render/escape.js';

export const command = defineCommand({
  usage: 'CONTAINER',
  flags: [],
  min: 1,
  max: 1,
  examples: [['tsrun diff web', 'What web added (A), changed (C) and deleted (D)']],
  async run(cli, _flags, [container = '']) {
    const changes = await (await cli.engine()).diff(container);
    const terminal = cli.isTty(1);
    const lines: Uint8Array[] = [];
    for (const { kind, path } of changes) {
      // Names are bytes: only a terminal gets them as text.
      const name = terminal ? Buffer.from(escapeControls(Buffer.from(path).toString())) : path;
      lines.push(Buffer.from(`${kind} `), name, Buffer.from('\n'));
    }
    cli.out(Buffer.concat(lines));
    return 0;
  },
});
