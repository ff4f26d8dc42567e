/** config.json: the OCI runtime spec of a container. */
import type { HostFacts } from '../host/facts.js';
import type { RuntimeSpec, SpecCapabilities, SpecMount } from '../types/oci.js';
import type { PlannedConfig } from './config.js';
import type { PlanInput } from './input.js';
import { byDepth, type PlannedMount, rootPropagation, specMount } from './mounts.js';
import {
  CAPABILITIES,
  defaultMounts,
  deviceRules,
  MASKED_PATHS,
  NETWORK_SYSCTLS,
  READONLY_PATHS,
} from './profile.js';
import { defaultSeccomp } from './seccomp.js';

const OCI_VERSION = '1.2.0';

/** Octal 022. */
const UMASK = 0o022;

export function planSpec(
  input: PlanInput,
  planned: PlannedConfig,
  mounts: readonly PlannedMount[],
): RuntimeSpec {
  const { intent, facts, id, storeTag } = input;
  const ownNetwork = intent.network !== 'host';
  const capabilities = CAPABILITIES.filter((name) => facts.capabilities.includes(name));
  const size = intent.tty ? intent.consoleSize : undefined;
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
      capabilities: capabilitySets(capabilities),
      rlimits: rlimits(facts),
      noNewPrivileges: false,
      oomScoreAdj: oomScore(facts),
    },
    // The overlay of launch.json takes its place.
    root: { path: 'rootfs' },
    hostname: planned.config.Hostname,
    mounts: specMounts(input, mounts),
    linux: {
      namespaces: [
        { type: 'mount' },
        ...(ownNetwork ? [{ type: 'network' } as const] : []),
        { type: 'uts' },
        { type: 'pid' },
        { type: 'ipc' },
        // Also on cgroup v1, where Docker shares the host's view.
        { type: 'cgroup' },
      ],
      cgroupsPath: `/tsrun/${storeTag}/${id}`,
      resources: { devices: deviceRules() },
      rootfsPropagation: rootPropagation(mounts),
      seccomp: defaultSeccomp({ arch: facts.arch, kernel: facts.kernel, capabilities }),
      sysctl: ownNetwork ? { ...NETWORK_SYSCTLS } : {},
      maskedPaths: [...MASKED_PATHS, ...facts.thermalThrottlePaths],
      readonlyPaths: [...READONLY_PATHS],
    },
  };
}

/** Inheritable and ambient stay empty: with them an unprivileged user inside would gain what only files may give (CVE-2022-24769). */
function capabilitySets(names: string[]): SpecCapabilities {
  return { bounding: names, effective: names, permitted: names, inheritable: [], ambient: [] };
}

const NOFILE_SOFT = 1024;
const NOFILE_HARD = 1048576;

/**
 * tsrun has no daemon whose limits a container could inherit, and Node raises its own: so they are set. Neither may
 * pass our own hard limit. A core limit of 2^53-1 bytes stands for "unlimited", which JSON numbers cannot say exactly.
 */
function rlimits({ rlimits: own }: HostFacts): { type: string; hard: number; soft: number }[] {
  const nofile = Math.min(NOFILE_HARD, own.nofileHard);
  return [
    { type: 'RLIMIT_CORE', soft: 0, hard: own.coreHard ?? Number.MAX_SAFE_INTEGER },
    { type: 'RLIMIT_NOFILE', soft: Math.min(NOFILE_SOFT, nofile), hard: nofile },
  ];
}

/** 0; where we stand above it and may not go down, what we have. */
function oomScore({ oomScoreAdj, capabilities }: HostFacts): number {
  return capabilities.includes('CAP_SYS_RESOURCE') ? 0 : Math.max(0, oomScoreAdj);
}

/** The default ones, unless the user put something in their place, then the name files and the user's, by depth. */
function specMounts(input: PlanInput, mounts: readonly PlannedMount[]): SpecMount[] {
  const taken = new Set(mounts.map(({ destination }) => destination));
  const isTaken = ({ destination }: SpecMount) =>
    taken.has(destination) || (taken.has('/dev') && destination.startsWith('/dev/'));
  const { hosts, hostname, resolvConf } = input.files;
  const nameFiles = [
    bindFile('/etc/resolv.conf', resolvConf),
    bindFile('/etc/hostname', hostname),
    bindFile('/etc/hosts', hosts),
  ];
  // mount_setattr came with 5.12.
  const { major, minor } = input.facts.kernel;
  const recursive = major > 5 || (major === 5 && minor >= 12);
  return [
    ...defaultMounts().filter((mount) => !isTaken(mount)),
    ...byDepth([
      ...mounts.map((mount) => specMount(mount, recursive)),
      ...nameFiles.filter((mount) => !isTaken(mount)),
    ]),
  ];
}

function bindFile(destination: string, source: string): SpecMount {
  return { destination, type: 'bind', source, options: ['rbind', 'rprivate'] };
}
