/** The user's mounts, those of other containers and the image's volumes, with their places on the host. */
import { TsrunError } from '../errors.js';
import type { RunIntent } from '../intent/run.js';
import { usage } from '../intent/usage.js';
import {
  type BindRecursion,
  type MountIntent,
  PROPAGATIONS,
  type Propagation,
  type VolumeWish,
} from '../intent/volume.js';
import { parseVolumeOptions, type VolumeDevice } from '../intent/volume-options.js';
import type { VolumesFrom } from '../intent/volumes-from.js';
import type { ImageRunConfig } from '../types/oci.js';
import { imageVolumes } from './config.js';
import type { PeerSource } from './lookups.js';

export interface PlannedMount {
  type: 'bind' | 'volume' | 'tmpfs';
  /** Of a volume. */
  name?: string;
  anonymous: boolean;
  /** Absolute, on the host; '' for a tmpfs. */
  source: string;
  destination: string;
  readonly: boolean;
  propagation?: Propagation;
  recursion?: BindRecursion;
  mode: string;
  /** Fill it from the image while it is empty. */
  copyUp: boolean;
  /** A source that is missing is not made. */
  mustExist?: boolean;
  /** Of a volume: only this part of it. */
  subpath?: string;
  /** Of a volume that is not there yet. */
  wish?: VolumeWish;
  /** Of a volume that is no plain directory. */
  device?: VolumeDevice;
  /** Of a tmpfs. */
  options?: string[];
  /** inspect does not list it among the mounts: a tmpfs of --tmpfs. */
  unlisted?: boolean;
}

export interface VolumeSource {
  /** Absolute directory of the volume's content, which lies directly in the volume's own directory. */
  path(name: string): string;
  /** 64 hex for a volume without a name. */
  newName(): string;
  /** Driver options of a volume; undefined if there is no such volume. */
  options(name: string): Readonly<Record<string, string>> | undefined;
}

export interface MountSources {
  volumes: VolumeSource;
  peers: PeerSource;
}

/** Sorted by depth, so that /a is there before /a/b. A place has one mount: named ones, then --volumes-from, then anonymous ones. */
export function planMounts(
  intent: RunIntent,
  image: ImageRunConfig,
  { volumes, peers }: MountSources,
): PlannedMount[] {
  const mounts = new Map<string, PlannedMount>();
  const add = (mount: PlannedMount) => {
    if (!mounts.has(mount.destination)) mounts.set(mount.destination, mount);
  };
  const isFirm = ({ kind, api }: MountIntent) => kind !== 'anonymous' || api !== undefined;
  for (const mount of intent.mounts.filter(isFirm)) add(planned(mount, volumes));
  // Of two containers that have a mount there, the last one named counts.
  for (const from of [...intent.volumesFrom].reverse()) {
    for (const mount of inherited(from, peers)) add(mount);
  }
  for (const mount of intent.mounts) {
    if (!isFirm(mount) && !mounts.has(mount.destination)) add(planned(mount, volumes));
  }
  for (const destination of imageVolumes(image)) {
    if (!mounts.has(destination)) add(volumeMount({ destination, source: undefined }, volumes));
  }
  for (const mount of mounts.values()) checkDestination(mount);
  return byDepth([...mounts.values()].map((mount) => withDevice(mount, volumes)));
}

/** A volume that is there is as it was made; what is wished for counts for new ones. */
function withDevice(mount: PlannedMount, volumes: VolumeSource): PlannedMount {
  const { type, name, wish, subpath } = mount;
  if (type !== 'volume' || name === undefined) return mount;
  const device = parseVolumeOptions(name, volumes.options(name) ?? wish?.options ?? {});
  if (device === undefined) return mount;
  if (subpath !== undefined && device.type !== 'bind')
    throw usage(`volume ${name}: volume-subpath is not supported for a volume of type ${device.type}`, name);
  return { ...mount, device, copyUp: false };
}

function planned(mount: MountIntent, volumes: VolumeSource): PlannedMount {
  if (mount.kind === 'tmpfs') {
    const { destination, options, api } = mount;
    return {
      type: 'tmpfs',
      anonymous: false,
      source: '',
      destination,
      readonly: options.includes('ro'),
      mode: '',
      copyUp: false,
      options,
      unlisted: api === undefined,
    };
  }
  if (mount.kind === 'bind') {
    const { source, destination, readonly, propagation, recursion, mode, mustExist } = mount;
    return {
      type: 'bind',
      anonymous: false,
      source,
      destination,
      readonly,
      propagation,
      recursion,
      mode,
      copyUp: false,
      mustExist,
    };
  }
  const { destination, readonly, nocopy, labels, options, api } = mount;
  const [source, subpath] = mount.kind === 'volume' ? [mount.source, mount.subpath] : [];
  // Docker's own mode for a volume with a name, and for all that --mount makes.
  const mode = mount.mode || (source === undefined && api === undefined ? '' : 'z');
  return volumeMount(
    {
      destination,
      source,
      readonly,
      nocopy,
      mode,
      subpath,
      wish: { ...(labels ? { labels } : {}), ...(options ? { options } : {}) },
    },
    volumes,
  );
}

interface VolumeParts {
  destination: string;
  /** undefined = a new one without a name */
  source: string | undefined;
  readonly?: boolean;
  nocopy?: boolean;
  mode?: string;
  subpath?: string;
  wish?: VolumeWish;
}

function volumeMount(
  { destination, source, readonly = false, nocopy = false, mode = '', subpath, wish }: VolumeParts,
  volumes: VolumeSource,
): PlannedMount {
  const name = source ?? volumes.newName();
  return {
    type: 'volume',
    name,
    anonymous: source === undefined,
    source: volumes.path(name),
    destination,
    readonly,
    mode,
    copyUp: !nocopy && subpath === undefined,
    subpath,
    wish,
  };
}

/** A volume stays that of the container that made it: it does not go with the one that borrows it. */
function inherited({ container, readonly }: VolumesFrom, peers: PeerSource): PlannedMount[] {
  const { mounts, subpaths } = peers.find(container);
  return mounts.map((mount) => ({
    type: mount.Type,
    name: mount.Name,
    anonymous: false,
    source: mount.Source,
    destination: mount.Destination,
    readonly: readonly === true || !mount.RW,
    propagation: PROPAGATIONS.find((name) => name === mount.Propagation),
    mode: '',
    copyUp: false,
    subpath: subpaths.get(mount.Destination),
    options: mount.Type === 'tmpfs' ? ['nosuid', 'nodev', 'noexec', ...(mount.RW ? [] : ['ro'])] : undefined,
  }));
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
