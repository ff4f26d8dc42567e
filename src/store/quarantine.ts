/** quarantine/: what is damaged and may still be of worth to its owner. Nothing in it is ever read again, or swept. */
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errnoOf } from '../errors.js';
import { syncDir, systemError } from './atomic.js';
import type { StorePaths } from './paths.js';

/** Moves `path` (of the store) away; false if it is not there. */
export async function quarantine(paths: StorePaths, path: string): Promise<boolean> {
  const target = join(paths.quarantine, `${basename(path)}.${randomBytes(6).toString('hex')}`);
  try {
    mkdirSync(paths.quarantine, { recursive: true, mode: 0o700 });
    await rename(path, target);
    await syncDir(paths.quarantine);
    await syncDir(dirname(path));
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw systemError('store.quarantine', path, error);
  }
}
