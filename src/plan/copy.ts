/**
 * The rules of `cp`: what a source becomes at a destination. Docker's, to the letter of a path: `/` or `/.` at its end
 * counts. Paths are POSIX and text; nothing is looked up here.
 */
import { posix } from 'node:path';
import { TsrunError } from '../errors.js';

/** Without `.`, `..` and doubled slashes, and without one at the end. */
export function cleanPath(path: string): string {
  const normal = posix.normalize(path);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}

function endsInSlash(path: string): boolean {
  return path.endsWith('/');
}

/** "a/.", ".", "a/./" */
function endsInDot(path: string): boolean {
  return /(^|\/)\.\/*$/.test(path);
}

/** The last component; "/" of the root, "." of nothing. */
function lastOf(path: string): string {
  return posix.basename(path) || (path === '' ? '.' : '/');
}

/** `cleaned` with what `original` says at its end about being a directory. */
export function keepEnding(cleaned: string, original: string): string {
  let path = cleaned;
  if (!endsInDot(path) && endsInDot(original)) path += endsInSlash(path) ? '.' : '/.';
  if (!endsInSlash(path) && endsInSlash(original)) path += '/';
  return path;
}

/** A path in a container as the helper wants it: absolute and clean, its ending kept. */
export function containerPath(path: string): string {
  const absolute = cleanPath(`/${path}`);
  return keepEnding(absolute, path);
}

/** What an archive of a path calls it. */
export function archiveName(path: string): string {
  const absolute = containerPath(path);
  return endsInDot(absolute) ? '.' : lastOf(absolute);
}

/** The directory and the entry in it that are meant; the entry is "." for the content of a directory. */
export function splitEntry(path: string): { dir: string; base: string } {
  const cleaned = cleanPath(path);
  if (!endsInDot(path)) return { dir: posix.dirname(cleaned), base: lastOf(cleaned) };
  return { dir: cleaned, base: '.' };
}

/**
 * A path whose links were resolved, with the ending of the one that was asked for; and the name that was asked for, if
 * it became another on the way.
 */
export function resolvedSource(asked: string, resolved: string): { path: string; name?: string } {
  let path = resolved;
  if (endsInDot(asked) && !endsInDot(path)) path += '/.';
  if (endsInSlash(asked) && !endsInSlash(path)) path += '/';
  const name = lastOf(asked);
  return name === lastOf(path) ? { path } : { path, name };
}

export interface CopySource {
  path: string;
  isDirectory: boolean;
  /** What it is called at the destination, if not by its own name. */
  name?: string;
}

export interface CopyDestination {
  path: string;
  /** 'directory', some other kind, or nothing is there. */
  kind: 'directory' | 'other' | 'missing';
}

export interface CopyPlan {
  /** The directory that the archive is unpacked in. */
  dir: string;
  /** The name in the archive that its entries have, and the one they get; '' = the directory itself. */
  from: string;
  to: string;
}

/** @throws TsrunError USAGE in Docker's words */
export function planCopy(source: CopySource, destination: CopyDestination): CopyPlan {
  const own = splitEntry(source.path).base;
  const from = own === '.' || own === '/' ? '' : own;
  const { dir, base } = splitEntry(destination.path);
  const renamed = { dir, from, to: base === '.' || base === '/' ? '' : base };
  if (destination.kind === 'directory') return { dir: destination.path, from, to: source.name ?? from };
  if (destination.kind === 'other') {
    if (source.isDirectory) throw refusal('cannot copy directory', destination.path);
    return renamed;
  }
  const wantsDirectory = endsInSlash(destination.path) || endsInDot(destination.path);
  if (!source.isDirectory && wantsDirectory) throw refusal('no such directory', destination.path);
  return renamed;
}

function refusal(message: string, subject: string): TsrunError {
  return new TsrunError('USAGE', message, { step: 'copy.plan', subject });
}
