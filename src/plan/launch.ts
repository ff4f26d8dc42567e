/** launch.json: what the OCI runtime spec cannot say. */
import { posix } from 'node:path';
import { LAUNCH_VERSION, type LaunchSpec } from '../native/launch.js';
import type { PlannedConfig } from './config.js';
import type { PlanInput } from './input.js';
import type { PlannedMount } from './mounts.js';

/** Rotation is on by default: a log that fills the disk is the older complaint. bytes, files. */
export const LOG_MAX_SIZE = 10 * 1024 * 1024;
export const LOG_MAX_FILE = 3;

export function planLaunch(
  input: PlanInput,
  { config }: PlannedConfig,
  mounts: readonly PlannedMount[],
): LaunchSpec {
  const { intent, rootfs, files } = input;
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
    groupAdd: [],
    createCwd: config.WorkingDir !== '',
    copyUp: mounts.filter(({ copyUp }) => copyUp).map(({ source, destination }) => ({ source, destination })),
    log: { driver: 'json-file', maxSize: LOG_MAX_SIZE, maxFile: LOG_MAX_FILE },
    network: { mode: intent.network, extraHosts: [], hostname: config.Hostname },
    openStdin: config.OpenStdin,
    stdinOnce: config.StdinOnce,
    ...(intent.tty && intent.consoleSize ? { consoleSize: intent.consoleSize } : {}),
    autoRemove: intent.rm,
    nameFile: input.nameFile,
    // Whole, with their records.
    anonymousVolumes: mounts.filter(({ anonymous }) => anonymous).map(({ source }) => posix.dirname(source)),
  };
}
