/** RunOptions, texts in Docker's grammar -> RunIntent: what the user asked, with every default still absent. */
import { TsrunError } from '../errors.js';
import type { RunOptions } from '../types/engine.js';
import type { Healthcheck } from '../types/oci.js';
import { parseAttach, type Streams } from './attach.js';
import { type DeviceIntent, type DeviceRule, parseDevice, parseDeviceRule } from './device.js';
import {
  type EnvChange,
  type EnvFile,
  parseAnnotations,
  parseEnv,
  parseEnvFile,
  parseLabels,
} from './env.js';
import { parseExpose } from './expose.js';
import { parseHealth } from './health.js';
import { type Limits, parseLimits, size } from './limits.js';
import { type LogIntent, parseLog } from './log.js';
import { parseMounts } from './mounts.js';
import { parseContainerName } from './name.js';
import { type Namespaces, parseNamespaces } from './namespaces.js';
import { noFiles, type ReadFile } from './read-file.js';
import { type ExtraHost, parseExtraHost, parseResolver, type Resolver } from './resolver.js';
import { parseRestart, type RestartPolicy } from './restart.js';
import { parseSecurity, type Security } from './security.js';
import { parseSignal } from './signal.js';
import { parseSysctls } from './sysctl.js';
import { parseUlimits, type Ulimit } from './ulimit.js';
import { flagError, usage } from './usage.js';
import { parseUser } from './user.js';
import type { MountIntent } from './volume.js';
import { parseVolumesFrom, type VolumesFrom } from './volumes-from.js';

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
  attach: Streams;
  rm: boolean;
  /** In order; files before `-e`, so that `-e` wins. */
  env: EnvChange[];
  mounts: MountIntent[];
  volumesFrom: VolumesFrom[];
  readOnly: boolean;
  /** absolute */
  workdir?: string;
  user?: string;
  groupAdd: string[];
  /** '' = run without the image's entrypoint; undefined = the image's. */
  entrypoint?: string;
  hostname?: string;
  domainname: string;
  extraHosts: ExtraHost[];
  resolver: Resolver;
  pull: PullPolicy;
  platform?: string;
  network: NetworkMode;
  /** "80/tcp" */
  exposed: string[];
  labels: Record<string, string>;
  annotations: Record<string, string>;
  cidFile?: string;
  limits: Limits;
  ulimits: Ulimit[];
  /** bytes */
  shmSize?: number;
  oomScoreAdj?: number;
  init: boolean;
  restart: RestartPolicy;
  /** As typed; checked. */
  stopSignal?: string;
  /** seconds; below 0 = wait for ever */
  stopTimeout?: number;
  /** What is said beside the image's check. */
  health?: Healthcheck;
  log: LogIntent;
  namespaces: Namespaces;
  sysctls: Record<string, string>;
  security: Security;
  devices: DeviceIntent[];
  deviceRules: DeviceRule[];
  consoleSize?: { rows: number; cols: number };
}

export interface RunContext {
  /** The caller's environment: values of `-e NAME`. */
  env: Readonly<Record<string, string | undefined>>;
  /** Base of `./x` in `-v ./x:/y`; absolute. */
  cwd: string;
  /** How env files, label files and seccomp profiles are read. */
  readFile?: ReadFile;
}

const HOSTNAME_MAX = 64;

/** @throws TsrunError USAGE or NOT_FOUND in Docker's words */
export function parseRun(options: RunOptions, context: RunContext): RunIntent {
  if (options.image === '') throw usage('invalid reference format');
  const { readFile = noFiles } = context;
  const filesOf = (paths: readonly string[] = []): EnvFile[] =>
    paths.map((path) => ({ path, text: readFile(path) }));
  const interactive = options.interactive ?? false;
  const detach = options.detach ?? false;
  const rm = options.rm ?? false;
  return {
    image: options.image,
    command: options.command ?? [],
    name: options.name === undefined || options.name === '' ? undefined : parseContainerName(options.name),
    interactive,
    tty: options.tty ?? false,
    detach,
    attach: parseAttach(options.attach ?? [], { detach, interactive }),
    rm,
    env: [
      ...filesOf(options.envFile).flatMap((file) => parseEnvFile(file, context.env)),
      ...(options.env ?? []).map((text) => parseEnv(text, context.env)),
    ],
    mounts: parseMounts(options, context.cwd),
    volumesFrom: (options.volumesFrom ?? []).map(parseVolumesFrom),
    readOnly: options.readOnly ?? false,
    workdir: parseWorkdir(options.workdir),
    user: options.user ? parseUser(options.user) : undefined,
    groupAdd: options.groupAdd ?? [],
    entrypoint: options.entrypoint,
    ...parseNames(options),
    pull: parsePull(options.pull),
    platform: options.platform || undefined,
    exposed: (options.expose ?? []).flatMap(parseExpose),
    labels: parseLabels(options.label ?? [], filesOf(options.labelFile)),
    annotations: parseAnnotations(options.annotation ?? []),
    cidFile: options.cidFile || undefined,
    limits: parseLimits(options),
    ulimits: parseUlimits(options.ulimit ?? []),
    shmSize: size(options.shmSize, '--shm-size'),
    oomScoreAdj: parseOomScore(options.oomScoreAdj),
    ...parseLife(options, rm),
    log: parseLog(options.logDriver, options.logOpt ?? []),
    sysctls: parseSysctls(options.sysctl ?? []),
    security: parseSecurity(options, readFile),
    devices: (options.device ?? []).map(parseDevice),
    deviceRules: (options.deviceCgroupRule ?? []).map(parseDeviceRule),
    consoleSize: options.consoleSize,
  };
}

type Names = Pick<
  RunIntent,
  'hostname' | 'domainname' | 'extraHosts' | 'resolver' | 'network' | 'namespaces'
>;

function parseNames(options: RunOptions): Names {
  const hostname = parseHostname(options.hostname);
  const namespaces = parseNamespaces(options);
  if (namespaces.uts === 'host' && hostname !== undefined) {
    throw usage('conflicting options: hostname and the UTS mode', hostname);
  }
  return {
    hostname,
    domainname: parseHostname(options.domainname) ?? '',
    extraHosts: (options.addHost ?? []).map(parseExtraHost),
    resolver: parseResolver(options),
    network: parseNetwork(options.network),
    namespaces,
  };
}

function parseLife(
  options: RunOptions,
  rm: boolean,
): Pick<RunIntent, 'init' | 'restart' | 'stopSignal' | 'stopTimeout' | 'health'> {
  const stopSignal = options.stopSignal || undefined;
  if (stopSignal !== undefined) parseSignal(stopSignal);
  return {
    init: options.init ?? false,
    restart: parseRestart(options.restart, rm),
    stopSignal,
    stopTimeout: options.stopTimeout,
    health: parseHealth(options),
  };
}

function parseOomScore(score: number | undefined): number | undefined {
  if (score === undefined || (score >= -1000 && score <= 1000)) return score;
  throw usage(`Invalid value ${score}, range for oom score adj is [-1000, 1000]`);
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
  throw flagError(`invalid pull option: '${text}': must be one of "always", "missing" or "never"`, text);
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
