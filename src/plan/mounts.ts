/** The user's mounts and the image's volumes with their places on the host. */
import { TsrunError } from '../errors.js';
import type { RunIntent } from '../intent/run.js';
import type { Propagation } from '../intent/volume.js';
import type { ContainerInspect } from '../types/engine.js';
import type { ImageRunConfig, SpecMount } from '../types/oci.js';
import { imageVolumes } from './config.js';

export interface PlannedMount {
  type: 'bind' | 'volume';
  /** Of a volume. */
  name?: string;
  anonymous: boolean;
  /** Absolute, on the host. */
  source: string;
  destination: string;
  readonly: boolean;
  propagation?: Propagation;
  mode: string;
  /** Fill it from the image while it is empty. */
  copyUp: boolean;
}

export interface VolumeSource {
  /** Absolute directory of the volume's content, which lies directly in the volume's own directory. */
  path(name: string): string;
  /** 64 hex for a volume without a name. */
  newName(): string;
}

/** Sorted by depth, so that /a is there before /a/b. */
export function planMounts(intent: RunIntent, image: ImageRunConfig, volumes: VolumeSource): PlannedMount[] {
  const mounts = intent.mounts.map((mount): PlannedMount => {
    const { destination, readonly, mode } = mount;
    if (mount.kind === 'anonymous') return anonymous(destination, volumes);
    if (mount.kind === 'bind') {
      const { source, propagation } = mount;
      return {
        type: 'bind',
        anonymous: false,
        source,
        destination,
        readonly,
        propagation,
        mode,
        copyUp: false,
      };
    }
    return {
      type: 'volume',
      name: mount.source,
      anonymous: false,
      source: volumes.path(mount.source),
      destination,
      readonly,
      mode,
      copyUp: !mount.nocopy,
    };
  });
  const covered = new Set(mounts.map(({ destination }) => destination));
  for (const destination of imageVolumes(image)) {
    if (!covered.has(destination)) mounts.push(anonymous(destination, volumes));
  }
  for (const mount of mounts) checkDestination(mount);
  return byDepth(mounts);
}

function anonymous(destination: string, volumes: VolumeSource): PlannedMount {
  const name = volumes.newName();
  return {
    type: 'volume',
    name,
    anonymous: true,
    source: volumes.path(name),
    destination,
    readonly: false,
    mode: '',
    copyUp: true,
  };
}

/** Files of procfs that lxcfs replaces. */
const PROC_FILES = ['cpuinfo', 'diskstats', 'loadavg', 'meminfo', 'slabinfo', 'stat', 'swaps', 'uptime'];

/**
 * A mount over procfs would take our own writes (labels, sysctls) and the masks somewhere else (CVE-2019-16884,
 * CVE-2025-52881).
 */
function checkDestination({ destination, type }: PlannedMount): void {
  const refuse = (reason: string) =>
    new TsrunError('USAGE', `"${destination}" cannot be mounted because ${reason}`, {
      step: 'plan',
      subject: destination,
    });
  if (destination === '/') throw refuse("destination can't be '/'");
  if (destination === '/proc') throw refuse('it is not of type proc');
  if (!destination.startsWith('/proc/')) return;
  const isKnownFile = PROC_FILES.includes(destination.slice('/proc/'.length));
  if (type !== 'bind' || !isKnownFile) throw refuse('it is inside /proc');
}

export function byDepth<T extends { destination: string }>(mounts: readonly T[]): T[] {
  const depth = ({ destination }: T) => destination.split('/').length;
  return [...mounts].sort((a, b) => depth(a) - depth(b));
}

/** `recursiveReadonly` where the kernel has mount_setattr: then nothing below a read-only bind is writable either. */
export function specMount(mount: PlannedMount, recursiveReadonly: boolean): SpecMount {
  const options = ['rbind', mount.propagation ?? 'rprivate'];
  if (mount.readonly) options.push(recursiveReadonly ? 'rro' : 'ro');
  return { destination: mount.destination, type: 'bind', source: mount.source, options };
}

/** What the root of the container needs to be so that the mounts in it can propagate as asked. */
export function rootPropagation(mounts: readonly PlannedMount[]): string | undefined {
  const asked = mounts.map(({ propagation = '' }) => propagation.replace(/^r/, ''));
  return ['shared', 'slave'].find((name) => asked.includes(name));
}

/** `Mounts` of inspect. */
export function inspectMounts(mounts: readonly PlannedMount[]): ContainerInspect['Mounts'] {
  const ordered = [...mounts].sort((a, b) => (a.destination < b.destination ? -1 : 1));
  return ordered.map(({ type, name, anonymous, source, destination, mode, readonly, propagation }) =>
    type === 'bind'
      ? {
          Type: type,
          Source: source,
          Destination: destination,
          Mode: mode,
          RW: !readonly,
          Propagation: propagation ?? 'rprivate',
        }
      : {
          Type: type,
          Name: name,
          Source: source,
          Destination: destination,
          Driver: 'local',
          // Docker's own default for a volume with a name.
          Mode: mode === '' && !anonymous ? 'z' : mode,
          RW: !readonly,
          Propagation: '',
        },
  );
}
