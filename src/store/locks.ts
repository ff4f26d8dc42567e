/**
 * Open-file-description locks of the store. They end with the last descriptor of their open file, so a killed process
 * never leaves one behind.
 */
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Native } from '../native/native.js';
import { systemError } from './atomic.js';
import type { StorePaths } from './paths.js';

/** Byte of storage.lock that guards the references (index.json, names, which layers exist). */
const STORAGE_BYTE = 0;
const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 25;

export type LockMode = 'shared' | 'exclusive';

/**
 * Runs `fn` while this process holds storage.lock. Every call opens the file anew, so concurrent calls of one process
 * exclude each other as those of two processes do; do not nest it. Hold it for the few writes that must appear
 * together, never while waiting for the network or unpacking.
 */
export async function withStorageLock<T>(
  paths: StorePaths,
  native: Native,
  mode: LockMode,
  fn: () => Promise<T> | T,
): Promise<T> {
  const fd = openLockFile(paths.lock);
  try {
    await waitForLock(native, fd, STORAGE_BYTE, mode);
    return await fn();
  } finally {
    closeSync(fd);
  }
}

/** Opens (and creates, 0600) a lock file. Node opens with O_CLOEXEC: no child inherits the lock. */
export function openLockFile(path: string, extraFlags = 0): number {
  try {
    return openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | extraFlags, 0o600);
  } catch (error) {
    throw systemError('store.lock', path, error);
  }
}

/**
 * Waits until the lock is ours. It polls: a blocking wait would hold one of the four threads of Node's pool, and four
 * waiters of one process would keep the holder, who needs that pool for its file system calls, from ever finishing.
 */
export async function waitForLock(
  native: Native,
  fd: number,
  byte: number,
  mode: LockMode,
  signal?: AbortSignal,
): Promise<void> {
  let pause = FIRST_PAUSE_MS;
  while (!(await tryLock(native, fd, byte, mode))) {
    signal?.throwIfAborted();
    await sleep(pause, signal);
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }
}

export function tryLock(native: Native, fd: number, byte: number, mode: LockMode): Promise<boolean> {
  return mode === 'shared' ? native.lockShared(fd, byte, false) : native.lock(fd, byte, false);
}

/** False once the file behind `fd` has been unlinked: whoever got a lock on it then holds nothing. */
export function isLinked(fd: number): boolean {
  return fstatSync(fd).nlink > 0;
}

/** Rejects with the signal's own reason, where node:timers would wrap it. */
async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
