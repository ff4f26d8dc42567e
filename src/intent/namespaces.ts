/** `--pid`, `--ipc`, `--uts`, `--cgroupns`, `--cgroup-parent`: which namespaces a container has of its own. */
import { posix } from 'node:path';
import type { NamespaceOptions } from '../types/run-options.js';
import { flagError, usage } from './usage.js';

/** Another container, by name or id as typed. */
export interface Join {
  container: string;
}

export interface Namespaces {
  pid: 'private' | 'host' | Join;
  /** `none`: private, and without /dev/shm. `shareable`: others may join it. */
  ipc: 'private' | 'shareable' | 'none' | 'host' | Join;
  uts: 'private' | 'host';
  cgroup: 'private' | 'host';
  /** Both mean the host's: there is no other yet. */
  user: '' | 'host';
  /** undefined = the store's own */
  cgroupParent?: { /** as typed */ text: string /** absolute and clean */; path: string };
}

export function parseNamespaces(options: NamespaceOptions): Namespaces {
  return {
    pid: parsePid(options.pid ?? ''),
    ipc: parseIpc(options.ipc ?? ''),
    uts: hostOr('private', options.uts ?? '', '--uts: invalid UTS mode'),
    cgroup: hostOr('private', options.cgroupns ?? '', '--cgroupns: invalid CGROUP mode', 'private'),
    cgroupParent: parseCgroupParent(options.cgroupParent ?? ''),
    user: parseUserns(options.userns ?? ''),
  };
}

function parsePid(text: string): Namespaces['pid'] {
  if (text === '') return 'private';
  if (text === 'host') return 'host';
  const container = joined(text);
  if (container) return { container };
  throw flagError('--pid: invalid PID mode', text, 'host or container:NAME');
}

function parseIpc(text: string): Namespaces['ipc'] {
  if (text === '') return 'private';
  if (text === 'private' || text === 'shareable' || text === 'none' || text === 'host') return text;
  const container = joined(text);
  if (container === undefined) throw usage(`Invalid IPC mode: ${text}`, text);
  if (container === '') throw usage(`can't join IPC of container : invalid name or ID supplied: ""`);
  return { container };
}

function joined(text: string): string | undefined {
  return /^container:(.*)$/s.exec(text)?.[1];
}

function hostOr(absent: 'private', text: string, message: string, ...others: string[]): 'private' | 'host' {
  if (text === '' || others.includes(text)) return absent;
  if (text === 'host') return 'host';
  throw flagError(message, text);
}

function parseUserns(text: string): Namespaces['user'] {
  if (text === '' || text === 'host') return text;
  throw flagError('--userns: invalid USER mode', text);
}

/** A relative one is below the root of the hierarchy; `..` leads nowhere. */
function parseCgroupParent(text: string): Namespaces['cgroupParent'] {
  if (text === '') return undefined;
  if (/[\0\n]/.test(text)) throw usage(`invalid cgroup parent: ${JSON.stringify(text)}`, text);
  return { text, path: posix.resolve('/', text) };
}
