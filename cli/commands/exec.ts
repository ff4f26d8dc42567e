import type { Engine, ExecOptions } from '../../src/types/engine.js';
import { type Cli, defineCommand } from '../command.js';
import { detachKeys } from '../detach-keys.js';
import { RawTerminal } from '../terminal.js';
import { UsageError } from '../usage.js';
import { runSession } from './attach-session.js';
import { checkInput, consoleSize } from './attached-start.js';

export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER COMMAND [ARG...]',
  flags: [
    {
      name: 'detach',
      short: 'd',
      kind: 'bool',
      help: 'Detached mode: run the command in the background',
    },
    { name: 'interactive', short: 'i', kind: 'bool', help: 'Keep STDIN open' },
    { name: 'tty', short: 't', kind: 'bool', help: 'Allocate a terminal' },
    {
      name: 'env',
      short: 'e',
      kind: 'list',
      help: "Set an environment variable; NAME alone takes the caller's",
    },
    { name: 'env-file', kind: 'list', help: 'Read environment variables from a file' },
    { name: 'user', short: 'u', kind: 'string', help: 'User name or UID (format: <name|uid>[:<group|gid>])' },
    { name: 'workdir', short: 'w', kind: 'string', help: 'Working directory inside the container' },
    { name: 'privileged', kind: 'bool', help: 'Give all capabilities to the command' },
    { name: 'detach-keys', kind: 'string', help: 'Keys that let go of the command, as "ctrl-p,ctrl-q"' },
  ],
  min: 2,
  max: Number.POSITIVE_INFINITY,
  interspersed: false,
  runLike: 'exec',
  examples: [
    ['tsrun exec -it web sh', 'A shell beside the program that runs in web'],
    ['tsrun exec -u root -w /etc web cat passwd', 'As another user, from another directory'],
  ],
  async run(cli, flags, [container = '', ...words]) {
    const { interactive, tty } = flags;
    const keys = detachKeys(cli, flags['detach-keys']);
    if (!flags.detach) checkInput(cli, { tty, stdin: interactive });
    const engine = await cli.engine();
    const options: ExecOptions = {
      command: words,
      env: flags.env,
      envFile: flags['env-file'],
      user: flags.user,
      workdir: flags.workdir,
      tty,
      privileged: flags.privileged,
      consoleSize: tty ? consoleSize(cli, engine) : undefined,
    };
    if (!flags.detach) return execAttached(cli, engine, { container, options, interactive, keys });
    await engine.exec(container, options);
    return 0;
  },
});

interface AttachedExec {
  container: string;
  options: ExecOptions;
  interactive: boolean;
  keys: readonly number[];
}

async function execAttached(cli: Cli, engine: Engine, how: AttachedExec): Promise<number> {
  const tty = how.options.tty === true;
  const raw = tty && how.interactive && cli.isTty(0) ? new RawTerminal(engine.terminal, 0) : undefined;
  try {
    raw?.enter();
    const attach = { stdin: how.interactive, stdout: true, stderr: true };
    const attachment = await engine.exec(how.container, { ...how.options, attach });
    if (attachment === undefined) throw new Error('the engine gave no attachment');
    const end = await runSession(cli, attachment, {
      terminal: engine.terminal,
      tty,
      stdin: how.interactive,
      // As with Docker: a signal ends this client, and the command goes on.
      sigProxy: false,
      detachKeys: how.keys,
    });
    if (end !== 'detached') return end.code;
    throw new UsageError('read escape sequence', 1, { usage: false });
  } finally {
    raw?.leave();
  }
}
