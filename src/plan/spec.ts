/** config.json: the OCI runtime spec of a container. */
import { TsrunError } from '../errors.js';
import type { HostFacts } from '../host/facts.js';
import type { RunIntent } from '../intent/run.js';
import type { RuntimeSpec, SpecMount, SpecSeccomp } from '../types/oci.js';
import { capabilitySets } from './capabilities.js';
import type { PlannedConfig } from './config.js';
import type { PlanInput } from './input.js';
import { byDepth, type PlannedMount } from './mounts.js';
import { planSysctls } from './namespaces.js';
import type { Parts } from './parts.js';
import { defaultMounts, MASKED_PATHS, READONLY_PATHS, SHM_SIZE } from './profile.js';
import { planRlimits } from './rlimits.js';
import { defaultSeccomp } from './seccomp.js';
import { resolveSeccomp } from './seccomp-profile.js';
import { rootPropagation, specMount } from './spec-mounts.js';

const OCI_VERSION = '1.2.0';

/** Octal 022. */
const UMASK = 0o022;

export function planSpec(
  input: PlanInput,
  planned: PlannedConfig,
  mounts: readonly PlannedMount[],
  parts: Parts,
): RuntimeSpec {
  const { intent, facts } = input;
  const size = intent.tty ? intent.consoleSize : undefined;
  const { Hostname, Domainname } = planned.config;
  // In a namespace that is not its own a container must not set names.
  const ownNames = intent.namespaces.uts !== 'host';
  return {
    ociVersion: OCI_VERSION,
    process: {
      terminal: intent.tty,
      ...(size ? { consoleSize: { height: size.rows, width: size.cols } } : {}),
      // The ids are the helper's to find: the names in LaunchSpec.user stand in the container's own files.
      user: { uid: 0, gid: 0, umask: UMASK },
      args: planned.argv,
      env: planned.env,
      cwd: planned.cwd,
      capabilities: capabilitySets(parts.capabilities.names),
      rlimits: planRlimits(intent.ulimits, facts),
      noNewPrivileges: intent.security.noNewPrivileges,
      oomScoreAdj: oomScore(intent, facts),
    },
    // The overlay of launch.json takes its place.
    root: { path: 'rootfs', ...(intent.readOnly ? { readonly: true } : {}) },
    ...(ownNames ? { hostname: Hostname } : {}),
    ...(ownNames && Domainname !== '' ? { domainname: Domainname } : {}),
    mounts: specMounts(input, mounts),
    ...(Object.keys(intent.annotations).length > 0 ? { annotations: intent.annotations } : {}),
    linux: {
      namespaces: parts.namespaces.list,
      ...(parts.devices.nodes.length > 0 ? { devices: parts.devices.nodes } : {}),
      cgroupsPath: cgroupsPath(input),
      resources: { devices: parts.devices.rules, ...parts.limits.resources },
      rootfsPropagation: rootPropagation(mounts),
      seccomp: planSeccomp(intent, facts, parts.capabilities.names),
      sysctl: planSysctls(intent),
      ...systemPaths(intent, facts),
    },
  };
}

/** Below a parent of the user's too, the name says whose cgroup it is. */
function cgroupsPath({ intent, storeTag, id }: PlanInput): string {
  const { cgroupParent } = intent.namespaces;
  if (cgroupParent === undefined) return `/tsrun/${storeTag}/${id}`;
  const { path } = cgroupParent;
  return `${path === '/' ? '' : path}/tsrun-${storeTag}-${id}`;
}

function systemPaths(
  { security }: RunIntent,
  { thermalThrottlePaths }: HostFacts,
): { maskedPaths: string[]; readonlyPaths: string[] } {
  if (security.privileged || security.systemPathsUnconfined) return { maskedPaths: [], readonlyPaths: [] };
  return {
    maskedPaths: [...MASKED_PATHS, ...thermalThrottlePaths],
    readonlyPaths: [...READONLY_PATHS],
  };
}

function planSeccomp(
  { security }: RunIntent,
  { arch, kernel }: HostFacts,
  capabilities: string[],
): SpecSeccomp | undefined {
  const { seccomp = security.privileged ? 'unconfined' : 'builtin' } = security;
  if (seccomp === 'unconfined') return undefined;
  const facts = { arch, kernel, capabilities };
  return seccomp === 'builtin' ? defaultSeccomp(facts) : resolveSeccomp(seccomp, facts);
}

/** What was asked for, else 0; where we stand above that and may not go down: an error, or what we have. */
function oomScore({ oomScoreAdj: asked }: RunIntent, { oomScoreAdj: own, capabilities }: HostFacts): number {
  if (capabilities.includes('CAP_SYS_RESOURCE')) return asked ?? 0;
  if (asked === undefined) return Math.max(0, own);
  if (asked >= own) return asked;
  throw new TsrunError(
    'HOST',
    `error setting oom_score_adj: ${asked} is below the lowest value possible here, ${own}: permission denied`,
    {
      step: 'plan',
      errno: 'EACCES',
      subject: '--oom-score-adj',
      hint: `only a process with CAP_SYS_RESOURCE may lower it: ask for at least ${own}`,
    },
  );
}

/** The default ones, unless the user put something in their place, then the name files and the user's, by depth. */
function specMounts(input: PlanInput, mounts: readonly PlannedMount[]): SpecMount[] {
  const { intent } = input;
  const taken = new Set(mounts.map(({ destination }) => destination));
  const isTaken = ({ destination }: SpecMount) =>
    taken.has(destination) || (taken.has('/dev') && destination.startsWith('/dev/'));
  const { hosts, hostname, resolvConf } = input.files;
  const nameFiles = [
    bindFile('/etc/resolv.conf', resolvConf, intent.readOnly),
    bindFile('/etc/hostname', hostname, intent.readOnly),
    bindFile('/etc/hosts', hosts, intent.readOnly),
  ];
  const { ipc } = intent.namespaces;
  const defaults = [
    ...defaultMounts({
      shmSize: ipc === 'private' || ipc === 'shareable' ? (intent.shmSize ?? SHM_SIZE) : undefined,
      writableSystem: intent.security.privileged,
    }),
    // That of a container that is joined is found by the helper, at each start.
    ...(ipc === 'host' ? [bindFile('/dev/shm', '/dev/shm')] : []),
  ];
  return [
    ...defaults.filter((mount) => !isTaken(mount)),
    ...byDepth([
      ...mounts.map((mount) => specMount(mount, input.facts.kernel)),
      ...nameFiles.filter((mount) => !isTaken(mount)),
    ]),
  ];
}

function bindFile(destination: string, source: string, readOnly = false): SpecMount {
  return { destination, type: 'bind', source, options: ['rbind', 'rprivate', ...(readOnly ? ['ro'] : [])] };
}
