/**
 * layers/init-v1: the topmost lower directory of every container. It holds the places that the engine mounts over, so
 * that they exist whatever the image says and never show up in a diff or a commit.
 */
import { lstatSync } from 'node:fs';
import { chmod, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../errors.js';
import { syncDir, systemError } from './atomic.js';
import type { StorePaths } from './paths.js';
import { StagingDir, type Store } from './staging.js';

/** Those in /dev are seen in an export only, where Docker has them. */
const DIRECTORIES = ['dev', 'dev/pts', 'dev/shm', 'proc', 'sys', 'etc'];
const FILES = ['etc/hosts', 'etc/hostname', 'etc/resolv.conf', '.dockerenv', 'dev/console'];

export async function makeInitLayer(store: Store): Promise<void> {
  const staging = await StagingDir.create(store);
  const layer = join(staging.dir, 'layer');
  try {
    await makeDir(layer);
    for (const name of DIRECTORIES) await makeDir(join(layer, name));
    for (const name of FILES) {
      await writeFile(join(layer, name), '', { mode: 0o644, flag: 'wx' });
      await chmod(join(layer, name), name === '.dockerenv' ? 0o755 : 0o644);
    }
    await symlink('/proc/mounts', join(layer, 'etc/mtab'));
    await store.native.syncfs(layer);
    await rename(layer, store.paths.initLayer);
    await syncDir(store.paths.layers);
  } catch (error) {
    // Another first command was faster: its copy is as good.
    if (errnoOf(error) !== 'ENOTEMPTY' && errnoOf(error) !== 'EEXIST')
      throw systemError('store.init-layer', store.paths.initLayer, error);
  } finally {
    await rm(staging.dir, { recursive: true, force: true });
    staging.release();
  }
}

/** Paths of it that are missing or are something else. */
export function damageOfInitLayer(paths: StorePaths): string[] {
  const kindOf = (name: string) => lstatSync(join(paths.initLayer, name), { throwIfNoEntry: false });
  return [
    ...['', ...DIRECTORIES].filter((name) => !kindOf(name)?.isDirectory()),
    ...FILES.filter((name) => !kindOf(name)?.isFile() || kindOf(name)?.size !== 0),
    ...['etc/mtab'].filter((name) => !kindOf(name)?.isSymbolicLink()),
  ].map((name) => `/${name}`);
}

async function makeDir(path: string): Promise<void> {
  await mkdir(path);
  await chmod(path, 0o755);
}
