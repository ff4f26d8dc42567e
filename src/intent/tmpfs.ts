/** `--tmpfs PATH[:OPTIONS]`. */
import { usage } from './usage.js';
import { destinationOf } from './volume.js';

export interface TmpfsMount {
  kind: 'tmpfs';
  destination: string;
  /** As typed, for inspect. */
  text: string;
  /** Mount options: the guarding defaults and the user's. */
  options: string[];
}

export const TMPFS_DEFAULTS: readonly string[] = ['nosuid', 'nodev', 'noexec'];

/** Flags of the mount and, where there is one, their opposite. What belongs to binds is not among them. */
const FLAGS = new Set(
  (
    'defaults ro rw suid nosuid dev nodev exec noexec sync async dirsync mand nomand atime noatime diratime ' +
    'nodiratime relatime norelatime strictatime nostrictatime'
  ).split(' '),
);

const VALUES: Record<string, RegExp> = {
  size: /^\d+([kKmMgGtT]|%)?$/,
  mode: /^[0-7]{1,5}$/,
  uid: /^\d+$/,
  gid: /^\d+$/,
  nr_inodes: /^\d+[kKmMgG]?$/,
  nr_blocks: /^\d+[kKmMgG]?$/,
  mpol: /^[a-z][a-z0-9:=,-]*$/,
};

export function parseTmpfs(spec: string): TmpfsMount {
  const at = spec.indexOf(':');
  const [path, text] = at < 0 ? [spec, ''] : [spec.slice(0, at), spec.slice(at + 1)];
  return { kind: 'tmpfs', destination: destinationOf(path), text, options: optionsOf(text) };
}

function optionsOf(text: string): string[] {
  const given = text.split(',').filter((option) => option !== '' && option !== 'defaults');
  for (const option of given) {
    if (!isOption(option)) throw usage(`invalid tmpfs option [${JSON.stringify(option)}]`, text);
  }
  // The last one wins: of two values of a name, and of a flag and its opposite.
  const byName = new Map<string, string>();
  for (const option of [...TMPFS_DEFAULTS, ...given]) {
    const name = nameOf(option);
    byName.delete(name);
    byName.set(name, option);
  }
  return [...byName.values()];
}

function isOption(option: string): boolean {
  const at = option.indexOf('=');
  if (at < 0) return FLAGS.has(option);
  const name = option.slice(0, at);
  return Object.hasOwn(VALUES, name) && (VALUES[name]?.test(option.slice(at + 1)) ?? false);
}

const OPPOSITES: Record<string, string> = { rw: 'ro', async: 'sync' };

function nameOf(option: string): string {
  const [name = ''] = option.split('=');
  if (option.includes('=')) return `${name}=`;
  return OPPOSITES[name] ?? name.replace(/^no/, '');
}
