import { parseSignal } from '../../src/intent/signal.js';
import { defineCommand, forAllTargets } from '../command.js';

export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  flags: [
    {
      name: 'signal',
      short: 's',
      kind: 'string',
      help: 'Signal to send: TERM, SIGTERM, 15, RTMIN+3',
      default: 'KILL',
    },
  ],
  min: 1,
  max: Number.POSITIVE_INFINITY,
  examples: [['tsrun kill -s HUP web', 'Have web read its configuration again']],
  async run(cli, flags, names) {
    const signal = parseSignal(flags.signal || 'KILL');
    const engine = await cli.engine();
    return forAllTargets(cli, names, (name) => engine.signal(name, signal));
  },
});
