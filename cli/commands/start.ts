import type { Engine } from '../../src/types/engine.js';
import { type Cli, defineCommand, forEachTarget } from '../command.js';
import { detachKeys } from '../detach-keys.js';
import { escapeControls } from '../render/escape.js';
import { UsageError } from '../usage.js';
import { checkInput, startAttached } from './attached-start.js';

export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  flags: [
    { name: 'attach', short: 'a', kind: 'bool', help: 'Attach STDOUT/STDERR and forward signals' },
    { name: 'interactive', short: 'i', kind: 'bool', help: "Attach container's STDIN" },
    { name: 'detach-keys', kind: 'string', help: 'Keys that let go of the container, as "ctrl-p,ctrl-q"' },
  ],
  min: 1,
  max: Number.POSITIVE_INFINITY,
  examples: [['tsrun start -ai work', 'Back into a stopped container']],
  async run(cli, flags, names) {
    const engine = await cli.engine();
    const keys = detachKeys(cli, flags['detach-keys']);
    if (flags.attach || flags.interactive) return startOne(cli, engine, names, flags.interactive, keys);
    const failed = new Set(names);
    const code = await forEachTarget(cli, names, async (name) => {
      await engine.start(name);
      failed.delete(name);
      cli.out(`${name}\n`);
    });
    if (failed.size > 0)
      cli.err(`tsrun: failed to start containers: ${escapeControls([...failed].join(', '))}\n`);
    return code;
  },
});

async function startOne(
  cli: Cli,
  engine: Engine,
  names: string[],
  interactive: boolean,
  keys: readonly number[],
): Promise<number> {
  const [container = ''] = names;
  if (names.length > 1)
    throw new UsageError('tsrun: you cannot start and attach multiple containers at once', 1, {
      usage: false,
    });
  const { Config } = await engine.inspectContainer(container);
  const stdin = interactive && Config.OpenStdin;
  checkInput(cli, { tty: Config.Tty, stdin });
  const end = await startAttached(cli, engine, {
    container,
    tty: Config.Tty,
    stdin,
    sigProxy: !Config.Tty,
    detachKeys: keys,
  });
  if (end !== 'detached') return end.code;
  throw new UsageError('read escape sequence', 1, { usage: false });
}
