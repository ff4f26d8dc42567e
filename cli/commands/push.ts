import { parseReference } from '../../src/intent/reference.js';
import { defineCommand } from '../command.js';
import { PushProgress } from '../render/progress.js';
import { cancelOnSignal } from '../terminal.js';

export const command = defineCommand({
  usage: '[OPTIONS] NAME[:TAG]',
  flags: [
    { name: 'all-tags', short: 'a', kind: 'bool', help: 'Push all tags of an image to the repository' },
    { name: 'quiet', short: 'q', kind: 'bool', help: 'Suppress verbose output' },
  ],
  min: 1,
  max: 1,
  examples: [
    ['tsrun push localhost:5000/app:1', 'To the registry that the name begins with'],
    ['tsrun push -a localhost:5000/app', 'Every tag of the repository'],
  ],
  async run(cli, flags, [name = '']) {
    const engine = await cli.engine();
    const { tag, digest } = parseReference(name);
    if (tag === undefined && digest === undefined && !flags['all-tags'] && !flags.quiet)
      cli.out('Using default tag: latest\n');
    const progress = new PushProgress({ write: (text) => cli.out(text), columns: cli.columns(1) });
    const cancel = cancelOnSignal();
    try {
      const pushed = await engine.push(name, {
        allTags: flags['all-tags'],
        signal: cancel.signal,
        onEvent: flags.quiet ? undefined : (event) => progress.event(event),
      });
      if (flags.quiet) for (const { reference } of pushed) cli.out(`${reference}\n`);
    } finally {
      cancel.done();
    }
    return 0;
  },
});
