/** `cp` between a container and this machine: Docker's rules on both sides of a tar. */
import { lstatSync, readlinkSync, realpathSync, type Stats, statSync } from 'node:fs';
import { posix, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { errnoOf, reasonOf, TsrunError } from '../errors.js';
import { copyIn as intoTree, copyOut as outOfTree } from '../layer/copy.js';
import type { FailureRecord } from '../native/launch.js';
import {
  type CopyDestination,
  type CopyPlan,
  type CopySource,
  keepEnding,
  planCopy,
  resolvedSource,
  splitEntry,
} from '../plan/copy.js';
import type { CopyOptions, CopyResult, PathStat } from '../types/engine.js';
import { archiveStream, copyFrom, copyTo, statPath } from './archive.js';
import type { EngineContext } from './context.js';
import { copyFailure } from './copy-failure.js';

const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;
const S_IFLNK = 0o120000;
const S_IFCHR = 0o020000;
const S_IFBLK = 0o060000;

function isKind({ mode }: PathStat, type: number): boolean {
  return (mode & S_IFMT) === type;
}

/** @see Engine.copyOut */
export async function copyOut(
  ctx: EngineContext,
  container: string,
  path: string,
  local: string,
  options: CopyOptions = {},
): Promise<CopyResult> {
  const destination = absolute(local);
  checkOutput(destination);
  const source = options.followLink ? await followed(ctx, container, path) : { path };
  const { stat, archive } = await copyFrom(ctx, container, source.path);
  try {
    const from: CopySource = { ...source, isDirectory: isKind(stat, S_IFDIR) };
    const plan = planCopy(from, localDestination(destination));
    const size = await extract(ctx, archive, plan, options);
    return { size, path: destination };
  } finally {
    archive.destroy();
  }
}

/** @see Engine.copyIn */
export async function copyIn(
  ctx: EngineContext,
  local: string,
  container: string,
  path: string,
  options: CopyOptions = {},
): Promise<CopyResult> {
  const destination = await containerDestination(ctx, container, path);
  const source = localSource(absolute(local), options.followLink === true);
  const plan = planCopy(source, destination);
  const archive = packLocal(ctx, source, plan.to);
  try {
    let size = 0;
    const onProgress = (bytes: number) => {
      size = bytes;
      options.onProgress?.(bytes);
    };
    await copyTo(ctx, container, plan.dir, archive, {
      noOverwriteDirNonDir: true,
      onProgress,
      signal: options.signal,
    });
    return { size, path: destination.path };
  } finally {
    archive.destroy();
  }
}

/** Where the link leads, and the name that was asked for. What is not there is told by the copy itself. */
async function followed(
  ctx: EngineContext,
  container: string,
  path: string,
): Promise<{ path: string; name?: string }> {
  const stat = await statPath(ctx, container, path);
  return isKind(stat, S_IFLNK) ? resolvedSource(path, stat.linkTarget) : { path };
}

/** @throws TsrunError in Docker's words when it is a device */
async function containerDestination(
  ctx: EngineContext,
  container: string,
  path: string,
): Promise<CopyDestination> {
  const found = await statIfThere(ctx, container, path);
  if (found === undefined) return { path, kind: 'missing' };
  const target = isKind(found, S_IFLNK) ? found.linkTarget : path;
  const stat = target === path ? found : await statIfThere(ctx, container, target);
  if (stat === undefined) return { path: target, kind: 'missing' };
  if (isKind(stat, S_IFCHR) || isKind(stat, S_IFBLK))
    throw new TsrunError(
      'USAGE',
      `destination "${container}:${path}" must be a directory or a regular file: got a device`,
      { step: 'copy.plan', subject: path },
    );
  return { path: target, kind: isKind(stat, S_IFDIR) ? 'directory' : 'other' };
}

async function statIfThere(
  ctx: EngineContext,
  container: string,
  path: string,
): Promise<PathStat | undefined> {
  try {
    return await statPath(ctx, container, path);
  } catch (error) {
    // ENOTDIR: "file/" and "file/x" are missing, too, and the copy says so.
    if (error instanceof TsrunError && error.step === 'copy.path' && error.code !== 'CONFLICT')
      return undefined;
    throw error;
  }
}

function absolute(local: string): string {
  return keepEnding(resolve(local), local);
}

/** @throws TsrunError USAGE in Docker's words */
function checkOutput(path: string): void {
  const invalid = (why: string) =>
    new TsrunError('USAGE', `invalid output path: ${why}`, { step: 'copy.plan', subject: path });
  const parent = posix.dirname(posix.resolve(path));
  if (statSync(parent, { throwIfNoEntry: false }) === undefined)
    throw invalid(`directory "${parent}" does not exist`);
  const stat = look(path, statSync);
  if (stat?.isCharacterDevice() || stat?.isBlockDevice())
    throw invalid(`"${path}" must be a directory or a regular file: got a device`);
}

/** Links at the end are followed: what they name is the destination, also when it is not there yet. */
function localDestination(path: string): CopyDestination {
  let at = path;
  for (let links = 0; ; links += 1) {
    const stat = look(at, lstatSync);
    if (stat === undefined) return missing(at);
    if (!stat.isSymbolicLink()) return { path: at, kind: stat.isDirectory() ? 'directory' : 'other' };
    if (links > 10) throw plain(`too many symlinks in ${path}`, path);
    at = posix.resolve(splitEntry(at).dir, readlinkSync(at));
  }
}

function missing(path: string): CopyDestination {
  const parent = splitEntry(path).dir;
  try {
    if (!statSync(parent).isDirectory()) throw plain('not a directory', parent);
  } catch (error) {
    throw error instanceof TsrunError ? error : plain(`stat ${parent}: ${reasonOf(error)}`, parent, error);
  }
  return { path, kind: 'missing' };
}

/** Undefined if nothing is there. "file/" is ENOTDIR, and so no destination. */
function look(path: string, stat: (path: string) => Stats): Stats | undefined {
  try {
    return stat(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw plain(`lstat ${path}: ${reasonOf(error)}`, path, error);
  }
}

function plain(message: string, subject: string, cause?: unknown): TsrunError {
  return new TsrunError('SYSTEM', message, { step: 'copy.local', subject, cause });
}

/** @throws TsrunError: it is not there */
function localSource(path: string, followLink: boolean): CopySource {
  try {
    const source = followLink ? resolvedSource(path, realpathSync(path)) : resolvedParent(path);
    const stat = lstatSync(source.path);
    return { ...source, isDirectory: stat.isDirectory() };
  } catch (error) {
    // "file/" and "file/."
    const isFile = errnoOf(error) === 'ENOTDIR';
    throw plain(isFile ? reasonOf(error) : `lstat ${path}: ${reasonOf(error)}`, path, error);
  }
}

/** Links on the way are resolved, the last component is not, unless a slash behind it asks for what it names. */
function resolvedParent(path: string): { path: string; name?: string } {
  const slash = path.lastIndexOf('/');
  const dir = realpathSync(path.slice(0, slash) || '/');
  const base = path.slice(slash + 1);
  const resolved = `${dir === '/' ? '' : dir}/${base}`;
  if (base !== '' || path === '/') return { path: resolved };
  const name = posix.basename(path);
  return name === posix.basename(resolved) ? { path: resolved } : { path: resolved, name };
}

/** The archive of a local source, whose entries are called `name`; '' = it is the content of the target directory. */
function packLocal(ctx: EngineContext, source: CopySource, name: string): Readable {
  const { dir, base } = splitEntry(source.path);
  const root = source.isDirectory ? posix.resolve(source.path) : dir;
  const stream = archiveStream(
    (newOutput, signal, onFound) => {
      onFound();
      return outOfTree({
        helperPath: ctx.helperPath,
        tree: { root },
        path: source.isDirectory ? '/.' : `/${base}`,
        name: name === '' ? '.' : name,
        output: newOutput(),
        signal,
        failure: wording(source.path),
      });
    },
    () => {},
  );
  // Told by whoever reads it; if that one has failed first, nobody needs to know.
  stream.on('error', () => {});
  return stream;
}

/** Unpacks into a local directory, from which nothing in the archive leads out. Returns the archive's size in bytes. */
async function extract(
  ctx: EngineContext,
  archive: Readable,
  plan: CopyPlan,
  options: CopyOptions,
): Promise<number> {
  const { size } = await intoTree({
    helperPath: ctx.helperPath,
    tree: { root: realpathSync(plan.dir) },
    path: '/',
    shown: plan.dir,
    rename: plan,
    input: archive,
    keepKinds: true,
    ownership: options.archive ? 'archive' : 'caller',
    failure: wording(plan.dir),
    signal: options.signal,
    onProgress: options.onProgress,
  });
  return size;
}

function wording(path: string): (failure: FailureRecord) => TsrunError {
  return (failure) => copyFailure({ path }, failure);
}
