/** The flags that run and create share, and how they become RunOptions. */
import type { RunOptions } from '../../src/types/engine.js';
import type { Flag, FlagValues } from '../flags.js';
import { UsageError } from '../usage.js';
import { CONTAINER_FLAGS, containerOptions } from './container-flags.js';

export const RUN_FLAGS = [
  { name: 'interactive', short: 'i', kind: 'bool', help: 'Keep STDIN open' },
  { name: 'tty', short: 't', kind: 'bool', help: 'Allocate a terminal' },
  { name: 'rm', kind: 'bool', help: 'Remove the container and its anonymous volumes when it exits' },
  { name: 'name', kind: 'string', help: 'Name of the container' },
  {
    name: 'env',
    short: 'e',
    kind: 'list',
    help: "Set an environment variable; NAME alone takes the caller's",
  },
  { name: 'env-file', kind: 'list', help: 'Read environment variables from a file' },
  { name: 'volume', short: 'v', kind: 'list', help: 'Bind mount a path, or mount a volume' },
  { name: 'workdir', short: 'w', kind: 'string', help: 'Working directory inside the container' },
  { name: 'user', short: 'u', kind: 'string', help: 'User name or UID (format: <name|uid>[:<group|gid>])' },
  { name: 'entrypoint', kind: 'string', help: "Replace the image's ENTRYPOINT" },
  { name: 'hostname', short: 'h', kind: 'string', help: 'Host name of the container' },
  { name: 'label', short: 'l', kind: 'list', help: 'Set a label' },
  { name: 'network', kind: 'string', help: 'bridge (default), none or host' },
  { name: 'net', kind: 'string', help: 'Same as --network', hidden: true },
  {
    name: 'pull',
    kind: 'string',
    help: 'Pull the image first: always, missing or never',
    default: 'missing',
  },
  { name: 'platform', kind: 'string', help: 'Platform of the image, os/arch[/variant]' },
  { name: 'quiet', short: 'q', kind: 'bool', help: 'Suppress the output of a pull' },
  ...CONTAINER_FLAGS,
] as const satisfies readonly Flag[];

type Values = FlagValues<typeof RUN_FLAGS>;

/** @throws UsageError for what the command line alone can tell. */
export function runOptions(flags: Values, args: readonly string[]): RunOptions {
  const [image = '', ...command] = args;
  const network = flags.net ?? flags.network;
  return {
    ...containerOptions(flags),
    image,
    command: command.length > 0 ? command : undefined,
    name: flags.name === '' ? undefined : flags.name,
    interactive: flags.interactive,
    tty: flags.tty,
    rm: flags.rm,
    env: flags.env,
    envFile: flags['env-file'],
    volume: flags.volume,
    workdir: flags.workdir === '' ? undefined : flags.workdir,
    user: flags.user === '' ? undefined : flags.user,
    entrypoint: flags.entrypoint,
    hostname: flags.hostname === '' ? undefined : flags.hostname,
    pull: pullPolicy(flags.pull),
    platform: flags.platform,
    network: network === '' || network === 'default' ? undefined : network,
    label: flags.label,
  };
}

function pullPolicy(text: string | undefined): 'missing' | 'always' | 'never' {
  if (text === undefined || text === '' || text === 'missing') return 'missing';
  if (text === 'always' || text === 'never') return text;
  throw new UsageError(
    `tsrun: invalid pull option: '${text}': must be one of "always", "missing" or "never"`,
    125,
  );
}
