/** launch.json: what the OCI runtime spec cannot say. */
import { posix } from 'node:path';
import type { RunIntent } from '../intent/run.js';
import { parseSignal } from '../intent/signal.js';
import { LAUNCH_VERSION, type LaunchSpec } from '../native/launch.js';
import type { PlannedConfig } from './config.js';
import { planHealth } from './health.js';
import type { PlanInput } from './input.js';
import type { PlannedMount } from './mounts.js';
import { extraHostLines } from './name-files.js';
import type { Parts } from './parts.js';

const SIGTERM = 15;
/** seconds */
const STOP_TIMEOUT = 10;

export function planLaunch(
  input: PlanInput,
  { config }: PlannedConfig,
  mounts: readonly PlannedMount[],
  parts: Parts,
): LaunchSpec {
  const { intent, rootfs, files } = input;
  const { driver, maxSize, maxFile, compress } = intent.log;
  return {
    version: LAUNCH_VERSION,
    id: input.id,
    storeTag: input.storeTag,
    overlay: {
      lower: [rootfs.initLayer, ...[...rootfs.layers].reverse()],
      upper: files.upper,
      work: files.work,
      // Nobody will look at the files of a --rm container after a power cut: no sync at its end.
      volatile: intent.rm,
    },
    user: config.User ?? '',
    groupAdd: intent.groupAdd,
    createCwd: config.WorkingDir !== '',
    copyUp: mounts.filter(({ copyUp }) => copyUp).map(({ source, destination }) => ({ source, destination })),
    log: { driver: driver === 'none' ? 'none' : 'json-file', maxSize, maxFile, compress },
    network: {
      mode: intent.network,
      extraHosts: extraHostLines(intent.network, intent.extraHosts),
      hostname: hostNames(config),
    },
    openStdin: config.OpenStdin,
    stdinOnce: config.StdinOnce,
    ...(intent.tty && intent.consoleSize ? { consoleSize: intent.consoleSize } : {}),
    autoRemove: intent.rm,
    nameFile: input.nameFile,
    // Whole, with their records.
    anonymousVolumes: mounts.filter(({ anonymous }) => anonymous).map(({ source }) => posix.dirname(source)),
    ...planLife(intent, config),
    ...(parts.namespaces.join ? { join: parts.namespaces.join } : {}),
    ...planSubpaths(mounts),
  };
}

function planLife(
  { restart, init }: RunIntent,
  config: PlannedConfig['config'],
): Pick<LaunchSpec, 'restart' | 'health' | 'init' | 'stopSignal' | 'stopTimeout'> {
  const health = planHealth(config.Healthcheck, config.Shell);
  return {
    restart: { policy: restart.name, maxRetries: restart.maxRetries },
    ...(health ? { health } : {}),
    init,
    stopSignal: stopSignalOf(config.StopSignal),
    stopTimeout: Math.max(config.StopTimeout ?? STOP_TIMEOUT, -1),
  };
}

/** An image may name a signal that does not exist: then it is asked to end as all others are. */
export function stopSignalOf(text: string | undefined): number {
  try {
    return text ? parseSignal(text) : SIGTERM;
  } catch {
    return SIGTERM;
  }
}

function planSubpaths(mounts: readonly PlannedMount[]): Pick<LaunchSpec, 'subpaths'> {
  const subpaths = mounts.flatMap(({ destination, subpath }) =>
    subpath === undefined ? [] : [{ destination, subpath }],
  );
  return subpaths.length > 0 ? { subpaths } : {};
}

/** Names for the container's own line of /etc/hosts: the full one first, then the short one. */
function hostNames({ Hostname, Domainname }: PlannedConfig['config']): string {
  const full = Domainname === '' ? Hostname : `${Hostname}.${Domainname}`;
  const short = Domainname === '' ? (full.split('.')[0] ?? '') : Hostname;
  return short === '' || short === full ? full : `${full} ${short}`;
}
