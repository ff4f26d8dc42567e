/**
 * What one store has outside its directory: monitors, mounts, cgroups, links. Scoped by the store's root and tag, so
 * that stores of several tests can live side by side. A test that ends with anything left has found a bug.
 */
import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { storeTag } from '../../src/engine/open.js';

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // the process ended meanwhile
  }
}

function processIds(): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
}

/** Helpers of this store that still run: their command line names a directory below the root, or they have a file there open. */
export function helperProcesses(root: string): string[] {
  return processIds()
    .map((pid) => ({ pid, text: read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ') }))
    .filter(
      ({ pid, text }) => /tsrun-runtime|tsrun:\[/.test(text) && (text.includes(root) || hasOpen(pid, root)),
    )
    .map(({ pid, text }) => `process ${pid}: ${text.trim()}`);
}

/** Monitors have a title in place of their arguments; they hold their container's lock and log. */
function hasOpen(pid: string, root: string): boolean {
  try {
    const fds = readdirSync(`/proc/${pid}/fd`);
    return fds.some((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`).includes(root));
  } catch {
    return false; // it ended meanwhile
  }
}

/** Lines of any process's mountinfo that name the store, but for processes in the mount namespaces `except` (link texts). */
export function visibleMounts(root: string, except: string[] = []): string[] {
  const seen = new Set<string>();
  for (const pid of processIds()) {
    if (except.includes(namespaceOf(pid))) continue;
    for (const line of read(`/proc/${pid}/mountinfo`).split('\n'))
      if (line.includes(root)) seen.add(`mount: ${line}`);
  }
  return [...seen];
}

function namespaceOf(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/mnt`);
  } catch {
    return ''; // the process ended meanwhile
  }
}

function cgroups(tag: string): string[] {
  const found: string[] = [];
  const mounts = read('/proc/self/mountinfo').split('\n');
  for (const line of mounts) {
    if (!/ - cgroup2? /.test(line)) continue;
    const path = join(line.split(' ')[4] ?? '', 'tsrun', tag);
    if (existsSync(path)) found.push(`cgroup: ${path}`);
  }
  return found;
}

/** Of our network namespace; /sys shows those of the one it was mounted in. */
export function linkNames(): string[] {
  return [...read('/proc/self/net/dev').matchAll(/^ *([^\s:]+):/gm)].map(([, name]) => name ?? '');
}

function links(tag: string): string[] {
  return linkNames()
    .filter((name) => name.startsWith(`ts${tag.slice(0, 4)}`))
    .map((name) => `link: ${name}`);
}

function leftovers(root: string): string[] {
  return ['staging', 'trash'].flatMap((name) => {
    const dir = join(root, name);
    const entries = existsSync(dir) ? readdirSync(dir, { recursive: true }).map(String) : [];
    return entries
      .filter((entry) => !statSync(join(dir, entry)).isDirectory())
      .map((entry) => `file: ${join(dir, entry)}`);
  });
}

/** Everything of the store that lives outside its directory now, one line each. */
export function leaksOf(root: string): string[] {
  if (!existsSync(root)) return [];
  const real = realpathSync(root);
  const tag = storeTag(real);
  return [
    ...helperProcesses(real),
    ...visibleMounts(real),
    ...cgroups(tag),
    ...links(tag),
    ...leftovers(real),
  ];
}

/** Waits (at most 10 s) until the store has nothing left; the monitor of an ended container may still be on its way out. */
export async function leaksAfterSettling(root: string): Promise<string[]> {
  const deadline = Date.now() + 10_000;
  let leaks = leaksOf(root);
  while (leaks.length > 0 && Date.now() < deadline) {
    await delay(50);
    leaks = leaksOf(root);
  }
  return leaks;
}

/** A hash over a tree: names, modes, owners, times and content. */
export function hashTree(root: string): string {
  const hash = createHash('sha256');
  const walk = (path: string) => {
    const stat = lstatSync(path, { bigint: true });
    hash.update(`${path} ${stat.mode} ${stat.uid} ${stat.gid} ${stat.size} ${stat.mtimeNs} ${stat.rdev}\n`);
    if (stat.isDirectory()) for (const name of readdirSync(path).sort()) walk(join(path, name));
    else if (stat.isFile()) hash.update(readFileSync(path));
    else if (stat.isSymbolicLink()) hash.update(readlinkSync(path));
  };
  walk(root);
  return hash.digest('hex');
}
