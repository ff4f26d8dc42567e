/** RunOptions, texts in Docker's grammar -> RunIntent: what the user asked, with every default still absent. */
import { TsrunError } from '../errors.js';
import type { RunOptions } from '../types/engine.js';
import { type EnvChange, type EnvFile, parseEnv, parseEnvFile, parseLabels } from './env.js';
import { parseContainerName } from './name.js';
import { usage } from './usage.js';
import { parseUser } from './user.js';
import { type MountIntent, parseVolume } from './volume.js';

export type NetworkMode = 'bridge' | 'none' | 'host';
export type PullPolicy = 'missing' | 'always' | 'never';

export interface RunIntent {
  /** As typed: the registry room parses it. */
  image: string;
  /** Arguments after the image; empty = the image's CMD. */
  command: string[];
  name?: string;
  interactive: boolean;
  tty: boolean;
  detach: boolean;
  rm: boolean;
  /** In order; files before `-e`, so that `-e` wins. */
  env: EnvChange[];
  mounts: MountIntent[];
  /** absolute */
  workdir?: string;
  user?: string;
  /** '' = run without the image's entrypoint; undefined = the image's. */
  entrypoint?: string;
  hostname?: string;
  pull: PullPolicy;
  platform?: string;
  network: NetworkMode;
  labels: Record<string, string>;
  consoleSize?: { rows: number; cols: number };
}

export interface RunContext {
  /** The caller's environment: values of `-e NAME`. */
  env: Readonly<Record<string, string | undefined>>;
  /** Base of `./x` in `-v ./x:/y`; absolute. */
  cwd: string;
  /** What the files of options.envFile hold, in their order. */
  envFiles?: readonly EnvFile[];
}

const HOSTNAME_MAX = 64;

export function parseRun(options: RunOptions, context: RunContext): RunIntent {
  if (options.image === '') throw usage('invalid reference format');
  return {
    image: options.image,
    command: options.command ?? [],
    name: options.name === undefined || options.name === '' ? undefined : parseContainerName(options.name),
    interactive: options.interactive ?? false,
    tty: options.tty ?? false,
    detach: options.detach ?? false,
    rm: options.rm ?? false,
    env: [
      ...(context.envFiles ?? []).flatMap((file) => parseEnvFile(file, context.env)),
      ...(options.env ?? []).map((text) => parseEnv(text, context.env)),
    ],
    mounts: parseMounts(options.volume ?? [], context.cwd),
    workdir: parseWorkdir(options.workdir),
    user: options.user ? parseUser(options.user) : undefined,
    entrypoint: options.entrypoint,
    hostname: parseHostname(options.hostname),
    pull: parsePull(options.pull),
    platform: options.platform || undefined,
    network: parseNetwork(options.network),
    labels: parseLabels(options.label ?? []),
    consoleSize: options.consoleSize,
  };
}

function parseMounts(specs: readonly string[], cwd: string): MountIntent[] {
  const mounts = [...new Set(specs)].map((spec) => parseVolume(spec, cwd));
  const sourced = new Set<string>();
  for (const mount of mounts.filter(({ kind }) => kind !== 'anonymous')) {
    if (sourced.has(mount.destination)) {
      throw usage(`Duplicate mount point: ${mount.destination}`, mount.destination);
    }
    sourced.add(mount.destination);
  }
  // `-v /data -v /host:/data`: the one with a source covers the anonymous one; two spellings of one path are one.
  const anonymous = new Set<string>();
  return mounts.filter(({ kind, destination }) => {
    if (kind !== 'anonymous') return true;
    if (sourced.has(destination) || anonymous.has(destination)) return false;
    anonymous.add(destination);
    return true;
  });
}

export function parseWorkdir(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  if (text.startsWith('/')) return text;
  throw usage(`the working directory '${text}' is invalid, it needs to be an absolute path`, text);
}

/** Anything the kernel takes, but nothing that could add a line or a name to /etc/hosts. */
function parseHostname(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  if (Buffer.byteLength(text) <= HOSTNAME_MAX && /^[^\s#\0-\x1f\x7f]+$/.test(text)) return text;
  throw usage(`invalid hostname format: ${text}`, text, `at most ${HOSTNAME_MAX} bytes, no blanks`);
}

function parsePull(text: string | undefined): PullPolicy {
  if (text === undefined || text === '') return 'missing';
  if (text === 'missing' || text === 'always' || text === 'never') return text;
  throw usage(`invalid pull option: '${text}': must be one of "always", "missing" or "never"`, text);
}

function parseNetwork(text: string | undefined): NetworkMode {
  if (text === undefined || text === '' || text === 'default') return 'bridge';
  if (text === 'bridge' || text === 'none' || text === 'host') return text;
  throw new TsrunError('NOT_FOUND', `network ${text} not found`, {
    step: 'intent',
    subject: text,
    hint: 'known networks: bridge, host, none',
  });
}
