/**
 * Work in progress. Everything unfinished lies in staging/, everything being deleted in trash/, each as
 *
 *     <random>        the directory
 *     <random>.lock   held (OFD, byte 0) by the process that works on it; its lines are what that process leases
 *
 * so that any later command knows what is abandoned: its lock is free.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, constants, readdirSync, readFileSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { lstat, mkdir, rename, rmdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../errors.js';
import type { Native } from '../native/native.js';
import { isTemp, syncDir, systemError } from './atomic.js';
import { isLinked, openLockFile, tryLock, withStorageLock } from './locks.js';
import type { StorePaths } from './paths.js';

const LOCK_SUFFIX = '.lock';
const BYTE = 0;
/** An interrupted download can be continued for a day. */
const PARTIAL_MS = 24 * 60 * 60 * 1000;

/** What the store's own code needs to work; `removeTrees` deletes whole trees, accepts missing ones, crosses no mount. */
export interface Store {
  readonly paths: StorePaths;
  readonly native: Native;
  readonly removeTrees: (paths: string[]) => Promise<void>;
}

/** A directory in staging/ (or trash/) that is ours until it is renamed away or discarded. */
export class StagingDir {
  private constructor(
    private readonly store: Store,
    /** Absolute path. It is made with mode 0700. */
    readonly dir: string,
    private readonly lockPath: string,
    private fd: number,
  ) {}

  static async create(store: Store): Promise<StagingDir> {
    const entry = await StagingDir.reserve(store, store.paths.staging);
    try {
      await mkdir(entry.dir, { mode: 0o700 });
    } catch (error) {
      entry.release();
      throw systemError('store.staging', entry.dir, error);
    }
    return entry;
  }

  /** A name with a held lock, and no directory yet. */
  static async reserve(store: Store, parent: string): Promise<StagingDir> {
    for (;;) {
      const dir = join(parent, randomBytes(12).toString('hex'));
      const lockPath = dir + LOCK_SUFFIX;
      const fd = openLockFile(lockPath, constants.O_EXCL);
      // Between our open and our lock a sweep may have judged the file abandoned and unlinked it.
      if ((await tryLock(store.native, fd, BYTE, 'exclusive')) && isLinked(fd))
        return new StagingDir(store, dir, lockPath, fd);
      closeSync(fd);
    }
  }

  /**
   * Names content (layer keys, blob hex) that this work relies on or is about to publish: {@link leasedNames} keeps
   * the garbage collector from deleting it until this entry is released. What exists is to be looked at *after* this
   * resolves: the collector runs under the exclusive storage lock, so it either saw the lease or was done before.
   */
  async lease(names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    const { paths, native } = this.store;
    await withStorageLock(paths, native, 'shared', () => {
      writeSync(this.fd, names.map((name) => `${name}\n`).join(''));
    });
  }

  /** The directory's content has been renamed to its final place, or never was: forget the entry. */
  release(): void {
    if (this.fd < 0) return;
    try {
      unlinkSync(this.lockPath);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw systemError('store.staging', this.lockPath, error);
    } finally {
      closeSync(this.fd);
      this.fd = -1;
    }
  }

  /** Deletes the directory, if it is still there, and forgets the entry. */
  async discard(): Promise<void> {
    if (this.fd < 0) return;
    if (!(await removeIfEmpty(this.dir))) await this.store.removeTrees([this.dir]);
    this.release();
  }
}

/** The common case, without starting a helper: all of it has been renamed to its place. False if there is more to do. */
async function removeIfEmpty(dir: string): Promise<boolean> {
  try {
    await rmdir(dir);
    return true;
  } catch (error) {
    return errnoOf(error) === 'ENOENT';
  }
}

/** Moves a tree out of the way in one step. What is left of it after a crash is swept; call `discard` to delete it now. */
export async function moveToTrash(store: Store, path: string): Promise<StagingDir | undefined> {
  const entry = await StagingDir.reserve(store, store.paths.trash);
  try {
    await rename(path, entry.dir);
  } catch (error) {
    entry.release();
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw systemError('store.trash', path, error);
  }
  return entry;
}

/** Union of what is leased by all work in progress. Call it under the exclusive storage lock. */
export function leasedNames(store: Store): Set<string> {
  const { paths, native } = store;
  const locks = list(paths.staging)
    .filter((name) => name.endsWith(LOCK_SUFFIX))
    .map((name) => join(paths.staging, name));
  const held = native.probeLocks(locks, BYTE);
  const leased = new Set<string>();
  locks.forEach((path, i) => {
    if (!held[i]) return;
    for (const line of readLines(path)) leased.add(line);
  });
  return leased;
}

/** Deletes what dead processes left in staging/, trash/ and beside index.json. Costs three directory reads if nothing is there. */
export async function sweep(store: Store): Promise<void> {
  const { paths, native } = store;
  await sweepEntries(store, paths.staging);
  await sweepEntries(store, paths.trash);
  await sweepIngest(store, Date.now() - PARTIAL_MS);
  if (!list(paths.oci).some(isTemp)) return;
  // The index is written under the exclusive lock only: a temporary file that is there while we hold it has no owner.
  await withStorageLock(paths, native, 'exclusive', async () => {
    for (const name of list(paths.oci).filter(isTemp))
      await unlink(join(paths.oci, name)).catch(() => undefined);
    await syncDir(paths.oci);
  });
}

/** Paths in staging/ and trash/ whose process is dead: what {@link sweep} deletes. */
export function abandonedEntries({ paths, native }: Store): string[] {
  const entries = [paths.staging, paths.trash].flatMap((parent) => entriesOf(paths, parent));
  const held = native.probeLocks(
    entries.map((dir) => dir + LOCK_SUFFIX),
    BYTE,
  );
  return entries.filter((_, i) => held[i] !== true);
}

/** Deletes the parts of blobs that nobody downloads and that were last written before `until` (Unix milliseconds). */
export async function sweepIngest({ paths, native }: Store, until: number): Promise<void> {
  for (const name of list(paths.ingest)) {
    const path = join(paths.ingest, name);
    const written = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (!isBlobName(name) || written < until) await sweepFile(native, path);
  }
}

function isBlobName(name: string): boolean {
  return /^[0-9a-f]{64}$/.test(name);
}

async function sweepEntries(store: Store, parent: string): Promise<void> {
  for (const dir of entriesOf(store.paths, parent)) await sweepEntry(store, dir);
}

/** Directories, there or not, of the entries of staging/ or trash/. */
function entriesOf(paths: StorePaths, parent: string): string[] {
  const entries = new Set<string>();
  for (const name of list(parent)) {
    const dir = join(parent, name.endsWith(LOCK_SUFFIX) ? name.slice(0, -LOCK_SUFFIX.length) : name);
    if (dir !== paths.ingest) entries.add(dir);
  }
  return [...entries];
}

async function sweepEntry(store: Store, dir: string): Promise<void> {
  // The lock file is made before the directory and unlinked after it, so one that we have to create here is our own.
  const fd = openLockFile(dir + LOCK_SUFFIX);
  try {
    if (!(await tryLock(store.native, fd, BYTE, 'exclusive')) || !isLinked(fd)) return;
    await store.removeTrees([dir]);
    unlinkSync(dir + LOCK_SUFFIX);
  } finally {
    closeSync(fd);
  }
}

/** Unlinks a single file that carries its own lock (a download) once nobody holds it. */
async function sweepFile(native: Native, path: string): Promise<void> {
  const fd = openLockFile(path);
  try {
    if ((await tryLock(native, fd, BYTE, 'exclusive')) && isLinked(fd)) unlinkSync(path);
  } finally {
    closeSync(fd);
  }
}

function list(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw systemError('store.sweep', dir, error);
  }
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n').filter(Boolean);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw systemError('store.lease', path, error);
  }
}

export async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw systemError('store.read', path, error);
  }
}
