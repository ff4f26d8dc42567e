/** Small files that are either the old or the new one after a crash: temp name, write, fsync, rename, fsync(dir). */
import { randomBytes } from 'node:crypto';
import { constants, readFileSync } from 'node:fs';
import { open, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errnoOf, reasonOf, TsrunError } from '../errors.js';

/** Names of temporary files start with a dot and end with this: whoever sweeps a directory knows them by it. */
export const TEMP_SUFFIX = '.tmp';

/** What helps when a record of the store is damaged. */
export const CHECK_HINT = 'tsrun system check --repair mends the store';

export function isTemp(name: string): boolean {
  return name.startsWith('.') && name.endsWith(TEMP_SUFFIX);
}

export interface AtomicWriteOptions {
  /** Default 0600. The umask does not apply. */
  mode?: number;
  /** Default: ours. */
  owner?: { uid: number; gid: number };
  /** false: nothing is synced. For what need not survive a power cut (anything of a `--rm` container). */
  durable?: boolean;
}

/**
 * Replaces `path` by `data`. The temporary file lies in the same directory, so a full disk leaves the old file as it
 * was, and it is opened with O_EXCL under an unpredictable name, so nobody can plant a link there.
 */
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array,
  options: AtomicWriteOptions = {},
): Promise<void> {
  const { mode = 0o600, durable = true, owner } = options;
  const temp = join(dirname(path), `.${basename(path)}.${randomBytes(8).toString('hex')}${TEMP_SUFFIX}`);
  try {
    const file = await open(temp, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, mode);
    try {
      if (owner !== undefined) await file.chown(owner.uid, owner.gid);
      await file.writeFile(data);
      await file.chmod(mode);
      if (durable) await file.sync();
    } finally {
      await file.close();
    }
    await rename(temp, path);
  } catch (error) {
    await unlink(temp).catch(() => undefined);
    throw systemError('store.write', path, error);
  }
  if (durable) await syncDir(dirname(path));
}

/** Makes renames, links and unlinks in `dir` survive a power cut. */
export async function syncDir(dir: string): Promise<void> {
  const handle = await open(dir, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The parsed file, or undefined if there is none. @throws TsrunError FORMAT for a damaged one. */
export function readJson(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw systemError('store.read', path, error);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new TsrunError('FORMAT', `damaged state file ${path}: not valid JSON`, {
      step: 'store.read',
      subject: path,
      hint: CHECK_HINT,
      cause: error,
    });
  }
}

/** A failed system call of our own, with its errno in words that say what it was for. */
export function systemError(step: string, subject: string, error: unknown): TsrunError {
  if (error instanceof TsrunError) return error;
  const errno = errnoOf(error);
  const hint =
    errno === 'ENOSPC' || errno === 'EDQUOT' ? 'the disk is full: remove images or containers' : undefined;
  return new TsrunError('SYSTEM', `${step}: ${subject}: ${reasonOf(error)}`, {
    step,
    errno,
    subject,
    hint,
    cause: error,
  });
}
