import { familiarRepository, parseReference } from '../../src/intent/reference.js';
import type { PullEvent } from '../../src/types/engine.js';
import { defineCommand } from '../command.js';
import { PullProgress } from '../render/progress.js';
import { cancelOnSignal } from '../terminal.js';

export const command = defineCommand({
  usage: '[OPTIONS] NAME[:TAG|@DIGEST]',
  flags: [
    { name: 'quiet', short: 'q', kind: 'bool', help: 'Suppress verbose output' },
    { name: 'all-tags', short: 'a', kind: 'bool', help: 'Download all tagged images in the repository' },
    { name: 'platform', kind: 'string', help: 'Platform to pull, os/arch[/variant]' },
  ],
  min: 1,
  max: 1,
  examples: [
    ['tsrun pull redis', 'docker.io/library/redis:latest'],
    ['tsrun pull localhost:5000/app:1', 'From another registry'],
    ['tsrun pull -a localhost:5000/app', 'Every tag of the repository'],
  ],
  async run(cli, flags, [name = '']) {
    const engine = await cli.engine();
    const progress = new PullProgress({
      write: (text) => cli.out(text),
      columns: cli.columns(1),
      standalone: true,
      allTags: flags['all-tags'],
    });
    const cancel = cancelOnSignal();
    try {
      const options = {
        platform: flags.platform,
        signal: cancel.signal,
        onEvent: flags.quiet ? undefined : (event: PullEvent) => progress.event(event),
      };
      if (flags['all-tags']) {
        const pulled = await engine.pullAll(name, options);
        const repository = familiarRepository(parseReference(name));
        if (!flags.quiet)
          progress.status(
            repository,
            pulled.every(({ upToDate }) => upToDate),
          );
        cli.out(`${repository}\n`);
        return 0;
      }
      const { reference } = await engine.pull(name, options);
      cli.out(`${reference}\n`);
    } finally {
      cancel.done();
    }
    return 0;
  },
});
