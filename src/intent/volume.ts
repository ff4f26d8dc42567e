/** `-v [SOURCE:]DESTINATION[:OPTIONS]`. */
import { posix } from 'node:path';
import type { TmpfsMount } from './tmpfs.js';
import { flagError, usage } from './usage.js';

export type Propagation = 'private' | 'rprivate' | 'shared' | 'rshared' | 'slave' | 'rslave';

interface MountBase {
  /** Clean absolute path inside the container. */
  destination: string;
  readonly: boolean;
  /** The options as typed ("ro,z"): `Mode` of inspect. */
  mode: string;
}

/** What is mounted below the source, too: all of it (enabled), nothing, or read-only in part or in whole. */
export type BindRecursion = 'enabled' | 'disabled' | 'writable' | 'readonly';

/** `Mounts` of HostConfig: a mount as `--mount` says it. */
export type ApiMount = Record<string, unknown>;

interface FromMountFlag {
  /** Only for `--mount`. */
  api?: ApiMount;
}

export interface BindMount extends MountBase, FromMountFlag {
  kind: 'bind';
  /** Absolute path on the host. */
  source: string;
  propagation?: Propagation;
  recursion?: BindRecursion;
  /** A missing source is an error; else it is made, a directory of root's. */
  mustExist?: boolean;
}

/** What a volume is made with if it is not there. */
export interface VolumeWish {
  labels?: Record<string, string>;
  options?: Record<string, string>;
}

interface VolumeBase extends MountBase, FromMountFlag, VolumeWish {
  /** Stays empty although the image has files there. */
  nocopy: boolean;
}

export interface VolumeMount extends VolumeBase {
  kind: 'volume';
  /** Name of the volume. */
  source: string;
  /** Only this directory of it, relative. */
  subpath?: string;
}

export interface AnonymousMount extends VolumeBase {
  kind: 'anonymous';
}

export type MountIntent = BindMount | VolumeMount | AnonymousMount | (TmpfsMount & FromMountFlag);

/** Each option belongs to one group, and at most one of a group may be given. */
const OPTION_GROUPS: readonly (readonly string[])[] = [
  ['ro', 'rw'],
  ['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave'],
  // SELinux labels: kept in the mode; without SELinux they change nothing, as in Docker.
  ['z', 'Z'],
  ['nocopy', 'volume-nocopy'],
  // Only Docker Desktop acts on these.
  ['consistent', 'cached', 'delegated', 'default'],
];

const VOLUME_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

/** `cwd` makes `./x` and `../x` absolute. */
export function parseVolume(spec: string, cwd: string): MountIntent {
  const [first, second, mode = ''] = sections(spec);
  if (second === undefined) {
    return { kind: 'anonymous', destination: destinationOf(first), readonly: false, mode: '', nocopy: false };
  }
  // "/data:ro": a destination with a mode and no source means nothing.
  if (mode === '' && parseVolumeMode(second)) throw badSpec(spec);
  const options = parseVolumeMode(mode);
  if (options === undefined) throw usage(`invalid mode: ${mode}`, spec);
  return sourced({ spec, source: first, target: second, mode, options, cwd });
}

interface Sourced {
  spec: string;
  source: string;
  target: string;
  mode: string;
  options: Set<string>;
  cwd: string;
}

function sourced({ spec, source, target, mode, options, cwd }: Sourced): MountIntent {
  const path = source.startsWith('.') ? posix.resolve(cwd, source) : source;
  const kind = path.startsWith('/') ? 'bind' : 'volume';
  const refuse = (reason: string) => badSpec(spec, `invalid mount config for type "${kind}": ${reason}`);
  const nocopy = options.has('nocopy') || options.has('volume-nocopy');
  const propagation = PROPAGATIONS.find((name) => options.has(name));
  if (kind === 'bind' && nocopy) throw refuse('field VolumeOptions must not be specified');
  if (kind === 'volume' && propagation) throw refuse('field BindOptions must not be specified');
  const base = { destination: destinationOf(target, refuse), readonly: options.has('ro'), mode };
  if (kind === 'bind') return { kind, source: posix.resolve(path), propagation, ...base };
  checkVolumeName(source);
  return { kind, source, nocopy, ...base };
}

export const PROPAGATIONS: readonly Propagation[] = [
  'private',
  'rprivate',
  'shared',
  'rshared',
  'slave',
  'rslave',
];

/** @throws TsrunError USAGE with the hint that a path was probably meant. */
export function checkVolumeName(name: string): void {
  if (name.length === 1 && VOLUME_NAME.test(name)) {
    throw usage(
      `create ${name}: volume name is too short, names should be at least two alphanumeric characters`,
      name,
    );
  }
  if (VOLUME_NAME.test(name)) return;
  throw usage(
    `create ${name}: "${name}" includes invalid characters for a local volume name, only ` +
      '"[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path',
    name,
    `for a directory write an absolute path or ./${name.replace(/^~\//, '')}`,
  );
}

function sections(spec: string): [string, string?, string?] {
  if (spec === '') throw flagError('invalid empty volume spec');
  const parts = spec.split(':');
  parts.forEach((part, index) => {
    if (part === '') throw flagError(`invalid spec: ${spec}: empty section between colons`, spec);
    if (index === 2 && parts.length > 3) throw flagError(`invalid spec: ${spec}: too many colons`, spec);
  });
  return [parts[0] ?? '', parts[1], parts[2]];
}

/** The options of a mode, or undefined if it is not one. */
export function parseVolumeMode(mode: string): Set<string> | undefined {
  const options = new Set<string>();
  const groups = new Set<number>();
  for (const option of mode === '' ? [] : mode.split(',')) {
    const group = OPTION_GROUPS.findIndex((names) => names.includes(option));
    if (group < 0 || groups.has(group)) return undefined;
    groups.add(group);
    options.add(option);
  }
  return options;
}

/** Clean and absolute. `refuse` puts the reason into the caller's sentence. */
export function destinationOf(
  text: string,
  refuse: (reason: string) => Error = (reason) => usage(reason, text),
): string {
  if (!text.startsWith('/')) throw refuse(`invalid mount path: '${text}' mount path must be absolute`);
  const clean = posix.resolve(text);
  if (clean === '/') throw refuse("invalid specification: destination can't be '/'");
  return clean;
}

function badSpec(spec: string, reason?: string): Error {
  return usage(`invalid volume specification: '${spec}'${reason ? `: ${reason}` : ''}`, spec);
}
