import { defineCommand } from '../command.js';
import { detachKeys } from '../detach-keys.js';
import { RawTerminal } from '../terminal.js';
import { UsageError } from '../usage.js';
import { runSession } from './attach-session.js';
import { checkInput } from './attached-start.js';

export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER',
  flags: [
    { name: 'no-stdin', kind: 'bool', help: 'Do not attach STDIN' },
    { name: 'sig-proxy', kind: 'bool', help: 'Pass signals on to the process', default: true },
    { name: 'detach-keys', kind: 'string', help: 'Keys that let go of the container, as "ctrl-p,ctrl-q"' },
  ],
  min: 1,
  max: 1,
  examples: [['tsrun attach work', 'Back to a container; leave it with ctrl-p ctrl-q']],
  async run(cli, flags, [container = '']) {
    const keys = detachKeys(cli, flags['detach-keys']);
    const engine = await cli.engine();
    const { Config, State } = await engine.inspectContainer(container);
    const { Tty: tty } = Config;
    const stdin = !flags['no-stdin'] && Config.OpenStdin;
    // A container that cannot be attached to is told first.
    if (State.Running && !State.Paused) checkInput(cli, { tty, stdin });
    const raw = tty && stdin && cli.isTty(0) ? new RawTerminal(engine.terminal, 0) : undefined;
    const attachment = await engine.attach(container, { stdin });
    try {
      raw?.enter();
      const end = await runSession(cli, attachment, {
        terminal: engine.terminal,
        tty,
        stdin,
        sigProxy: flags['sig-proxy'] && !tty,
        detachKeys: keys,
      });
      if (end !== 'detached') return end.code;
      throw new UsageError('read escape sequence', 1, { usage: false });
    } finally {
      raw?.leave();
    }
  },
});
