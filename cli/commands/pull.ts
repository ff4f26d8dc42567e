import { defineCommand } from '../command.js';
import { PullProgress } from '../render/progress.js';
import { cancelOnSignal } from '../terminal.js';

export const command = defineCommand({
  usage: '[OPTIONS] NAME[:TAG|@DIGEST]',
  flags: [
    { name: 'quiet', short: 'q', kind: 'bool', help: 'Suppress verbose output' },
    { name: 'platform', kind: 'string', help: 'Platform to pull, os/arch[/variant]' },
  ],
  min: 1,
  max: 1,
  examples: [
    ['tsrun pull redis', 'docker.io/library/redis:latest'],
    ['tsrun pull localhost:5000/app:1', 'From another registry'],
  ],
  async run(cli, flags, [name = '']) {
    const engine = await cli.engine();
    const progress = new PullProgress({
      write: (text) => cli.out(text),
      columns: cli.columns(1),
      standalone: true,
    });
    const cancel = cancelOnSignal();
    try {
      const { reference } = await engine.pull(name, {
        platform: flags.platform,
        signal: cancel.signal,
        onEvent: flags.quiet ? undefined : (event) => progress.event(event),
      });
      cli.out(`${reference}\n`);
    } finally {
      cancel.done();
    }
    return 0;
  },
});
