/** (intent, image config, host facts) -> all documents of a container. */
import type { LaunchSpec } from '../native/launch.js';
import type { ContainerInspect } from '../types/engine.js';
import type { RuntimeSpec } from '../types/oci.js';
import { checkHost, checkTexts, hostWarnings } from './check.js';
import { type ContainerConfig, planConfig } from './config.js';
import { planHostConfig } from './host-config.js';
import type { PlanInput } from './input.js';
import { planLaunch } from './launch.js';
import { inspectMounts, planMounts } from './mounts.js';
import { type NameFiles, planNameFiles } from './name-files.js';
import { CAPABILITIES } from './profile.js';
import { planSpec } from './spec.js';

export interface RunPlan {
  /** Program and arguments, as inspect shows them. */
  path: string;
  args: string[];
  config: ContainerConfig;
  hostConfig: Record<string, unknown>;
  mounts: ContainerInspect['Mounts'];
  /** To be there before the start; a named one may be already. */
  volumes: { name: string; anonymous: boolean }[];
  /** Host paths of binds: one that is missing is made, a directory owned by root, as Docker does. */
  bindSources: string[];
  /** config.json */
  spec: RuntimeSpec;
  /** launch.json */
  launch: LaunchSpec;
  files: NameFiles;
  warnings: string[];
}

export const SHORT_ID = 12;

/** @throws TsrunError USAGE, FORMAT or HOST, before anything has been made. */
export function planRun(input: PlanInput): RunPlan {
  const { intent, image = {}, facts, id } = input;
  checkHost(intent, facts);
  const hostname = intent.hostname ?? (intent.network === 'host' ? facts.hostname : id.slice(0, SHORT_ID));
  const planned = planConfig(intent, image, hostname);
  checkTexts(planned);
  const mounts = planMounts(intent, image, input.volumes);
  const [path, ...args] = planned.argv;
  return {
    path,
    args,
    config: planned.config,
    hostConfig: planHostConfig(intent),
    mounts: inspectMounts(mounts),
    volumes: mounts.flatMap(({ name, anonymous }) => (name === undefined ? [] : [{ name, anonymous }])),
    bindSources: mounts.filter(({ type }) => type === 'bind').map(({ source }) => source),
    spec: planSpec(input, planned, mounts),
    launch: planLaunch(input, planned, mounts),
    files: planNameFiles(intent.network, hostname, facts),
    warnings: hostWarnings(facts, CAPABILITIES),
  };
}
