/** The image's config under the user's wishes: what `inspect` shows as Config and `commit` starts from. */
import { posix } from 'node:path';
import { TsrunError } from '../errors.js';
import type { RunIntent } from '../intent/run.js';
import { parseUser } from '../intent/user.js';
import type { ContainerInspect } from '../types/engine.js';
import type { ImageRunConfig } from '../types/oci.js';
import { planEnv } from './environment.js';
import { mergeHealth } from './health.js';

export type ContainerConfig = ContainerInspect['Config'];

export interface PlannedConfig {
  config: ContainerConfig;
  /** Program and arguments; never empty. */
  argv: [string, ...string[]];
  env: string[];
  /** Absolute and clean. */
  cwd: string;
}

export function planConfig(intent: RunIntent, image: ImageRunConfig, hostname: string): PlannedConfig {
  const { entrypoint, command } = planCommand(intent, image);
  const [program, ...args] = [...entrypoint, ...command];
  if (program === undefined) throw new TsrunError('USAGE', 'No command specified', { step: 'plan' });
  const env = planEnv(intent.env, image.Env ?? [], { hostname, tty: intent.tty });
  const volumes = [...imageVolumes(image), ...anonymousVolumes(intent)];
  const exposed = { ...image.ExposedPorts, ...Object.fromEntries(intent.exposed.map((port) => [port, {}])) };
  const health = mergeHealth(intent.health, image.Healthcheck);
  const stopSignal = intent.stopSignal ?? image.StopSignal;
  const { stdin, stdout, stderr } = intent.attach;
  const config: ContainerConfig = {
    Hostname: hostname,
    Domainname: intent.domainname,
    User: parseUser(intent.user ?? image.User ?? ''),
    AttachStdin: stdin,
    AttachStdout: stdout,
    AttachStderr: stderr,
    ...(Object.keys(exposed).length > 0 ? { ExposedPorts: exposed } : {}),
    Tty: intent.tty,
    OpenStdin: intent.interactive,
    StdinOnce: intent.interactive && stdin,
    Env: env.config,
    Cmd: command.length > 0 ? command : null,
    ...(health ? { Healthcheck: health } : {}),
    Image: intent.image,
    Volumes: volumes.length > 0 ? Object.fromEntries(volumes.map((path) => [path, {}])) : null,
    WorkingDir: intent.workdir ?? image.WorkingDir ?? '',
    Entrypoint: entrypoint.length > 0 ? entrypoint : null,
    OnBuild: null,
    Labels: { ...image.Labels, ...intent.labels },
    ...(stopSignal ? { StopSignal: stopSignal } : {}),
    ...(intent.stopTimeout === undefined ? {} : { StopTimeout: intent.stopTimeout }),
    ...(image.Shell?.length ? { Shell: image.Shell } : {}),
  };
  return { config, argv: [program, ...args], env: env.process, cwd: cwdOf(config.WorkingDir ?? '') };
}

/** `--entrypoint` also does away with the image's CMD, `--entrypoint ''` with both. */
function planCommand(intent: RunIntent, image: ImageRunConfig): { entrypoint: string[]; command: string[] } {
  if (intent.entrypoint !== undefined) {
    return { entrypoint: intent.entrypoint === '' ? [] : [intent.entrypoint], command: intent.command };
  }
  return {
    entrypoint: image.Entrypoint ?? [],
    command: intent.command.length > 0 ? intent.command : (image.Cmd ?? []),
  };
}

/** VOLUME paths of the image, clean and absolute: `..` in them leads nowhere. */
export function imageVolumes(image: ImageRunConfig): string[] {
  return [...new Set(Object.keys(image.Volumes ?? {}).map((path) => posix.resolve('/', path)))];
}

function anonymousVolumes(intent: RunIntent): string[] {
  return intent.mounts
    .filter(({ kind, api }) => kind === 'anonymous' && api === undefined)
    .map(({ destination }) => destination);
}

function cwdOf(workingDir: string): string {
  if (workingDir === '') return '/';
  if (workingDir.startsWith('/')) return posix.resolve(workingDir);
  throw new TsrunError(
    'FORMAT',
    `the working directory '${workingDir}' is invalid, it needs to be an absolute path`,
    { step: 'plan', subject: workingDir, hint: 'the image says so; -w gives another' },
  );
}
