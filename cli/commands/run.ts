import { parseAttach } from '../../src/intent/attach.js';
import { defineCommand } from '../command.js';
import { detachKeys } from '../detach-keys.js';
import { escapeControls } from '../render/escape.js';
import { UsageError } from '../usage.js';
import { checkInput, consoleSize, startAttached } from './attached-start.js';
import { implicitPull } from './implicit-pull.js';
import { RUN_FLAGS, runOptions } from './run-flags.js';

export const command = defineCommand({
  usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  flags: [
    { name: 'detach', short: 'd', kind: 'bool', help: 'Run in the background and print the container ID' },
    ...RUN_FLAGS,
    {
      name: 'detach-keys',
      kind: 'string',
      help: 'Keys that let go of the container (default ctrl-p,ctrl-q)',
    },
    { name: 'sig-proxy', kind: 'bool', help: 'Pass signals on to the process', default: true },
  ],
  min: 1,
  max: Number.POSITIVE_INFINITY,
  interspersed: false,
  runLike: true,
  examples: [
    ['tsrun run -it ubuntu /bin/bash', 'A shell in a new container; leave it running with ctrl-p ctrl-q'],
    ['tsrun run --rm -v ./src:/src -w /src gcc make', 'A tool over the files of this directory'],
    ['tsrun run -d --name cache redis:7', 'A service in the background'],
  ],
  async run(cli, flags, args) {
    const { interactive, tty, detach } = flags;
    const options = runOptions(flags, args);
    if (detach && flags.attach.length > 0)
      throw new UsageError('conflicting options: cannot specify both --attach and --detach', 1, {
        usage: false,
      });
    const streams = parseAttach(flags.attach, { detach, interactive });
    const keys = detachKeys(cli, flags['detach-keys']);
    if (!detach) checkInput(cli, { tty, stdin: streams.stdin });
    const engine = await cli.engine();
    const pull = implicitPull(cli, { quiet: flags.quiet, announce: options.pull === 'missing' });
    try {
      const size = tty ? consoleSize(cli, engine) : undefined;
      const { id, warnings } = await engine.create({
        ...options,
        ...pull.options,
        detach,
        consoleSize: size,
      });
      for (const warning of warnings) cli.err(`WARNING: ${escapeControls(warning)}\n`);
      if (detach) {
        // Before the start: a script must learn the ID of a container that did not start, too.
        cli.out(`${id}\n`);
        await engine.start(id, { consoleSize: size });
        return 0;
      }
      const end = await startAttached(cli, engine, {
        container: id,
        tty,
        ...streams,
        detachKeys: keys,
        sigProxy: flags['sig-proxy'],
        early: pull.caught,
        onRunning: pull.done,
      });
      // Whoever takes no output wants to know at least which container it was.
      if (!streams.stdout && !streams.stderr) cli.out(`${id}\n`);
      return end === 'detached' ? 0 : end.code;
    } finally {
      pull.done();
    }
  },
});
