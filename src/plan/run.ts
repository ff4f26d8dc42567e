/** (intent, image config, host facts) -> all documents of a container. */

import type { VolumeWish } from '../intent/volume.js';
import type { LaunchSpec } from '../native/launch.js';
import type { ContainerInspect } from '../types/engine.js';
import type { RuntimeSpec } from '../types/oci.js';
import { checkHost, checkTexts } from './check.js';
import { type ContainerConfig, planConfig } from './config.js';
import { planHostConfig } from './host-config.js';
import type { PlanInput } from './input.js';
import { planLaunch } from './launch.js';
import { planMounts } from './mounts.js';
import { type NameFiles, planNameFiles } from './name-files.js';
import { planParts } from './parts.js';
import { planSpec } from './spec.js';
import { inspectMounts } from './spec-mounts.js';

export interface RunPlan {
  /** Program and arguments, as inspect shows them. */
  path: string;
  args: string[];
  config: ContainerConfig;
  hostConfig: Record<string, unknown>;
  mounts: ContainerInspect['Mounts'];
  /** To be there before the start; a named one may be already. */
  volumes: ({ name: string; anonymous: boolean } & VolumeWish)[];
  /** Host paths of binds: one that is missing is made, a directory owned by root, as Docker does. */
  bindSources: string[];
  /** Host paths of binds that must be there. */
  requiredSources: string[];
  /** config.json */
  spec: RuntimeSpec;
  /** launch.json */
  launch: LaunchSpec;
  files: NameFiles;
  warnings: string[];
}

export const SHORT_ID = 12;

/** @throws TsrunError USAGE, NOT_FOUND, FORMAT or HOST, before anything has been made. */
export function planRun(input: PlanInput): RunPlan {
  const { intent, image = {}, facts } = input;
  checkHost(intent, facts);
  const hostname = hostnameOf(input);
  const planned = planConfig(intent, image, hostname);
  checkTexts(planned);
  const parts = planParts(input);
  const mounts = planMounts(intent, image, input);
  const binds = mounts.filter(({ type }) => type === 'bind');
  const sources = (mustExist: boolean) =>
    binds.filter((mount) => (mount.mustExist ?? false) === mustExist).map(({ source }) => source);
  const [path, ...args] = planned.argv;
  return {
    path,
    args,
    config: planned.config,
    hostConfig: planHostConfig(intent, parts),
    mounts: inspectMounts(mounts),
    volumes: mounts.flatMap(({ name, anonymous, wish }) =>
      name === undefined ? [] : [{ name, anonymous, ...wish }],
    ),
    bindSources: sources(false),
    requiredSources: sources(true),
    spec: planSpec(input, planned, mounts, parts),
    launch: planLaunch(input, planned, mounts, parts),
    files: planNameFiles({ ...intent, hostname }, facts),
    warnings: [...parts.capabilities.warnings, ...parts.limits.warnings, ...resolverWarnings(input)],
  };
}

function hostnameOf({ intent, facts, id }: PlanInput): string {
  const isHosts = intent.network === 'host' || intent.namespaces.uts === 'host';
  return intent.hostname ?? (isHosts ? facts.hostname : id.slice(0, SHORT_ID));
}

/** In a network of its own the loopback address is the container itself. */
function resolverWarnings({ intent }: PlanInput): string[] {
  return intent.resolver.servers
    .filter((server) => intent.network !== 'host' && (server.startsWith('127.') || server === '::1'))
    .map((server) => `Localhost DNS (${server}) may fail in containers.`);
}
