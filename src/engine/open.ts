/** Opens an engine's store: everything that costs something and is done once, when the first verb needs it. */
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { TsrunError } from '../errors.js';
import { helperPath } from '../native/load.js';
import type { Native } from '../native/native.js';
import { openStore } from '../store/open.js';
import type { Store } from '../store/staging.js';
import type { EngineOptions } from '../types/engine.js';
import type { EngineContext } from './context.js';
import type { RegistryContext } from './image-context.js';
import { imageUsers, usedLayers } from './users.js';

export const DEFAULT_CERTS_DIR = '/etc/tsrun/certs.d';

/** For what needs no store. */
export function registryContext(options: EngineOptions): RegistryContext {
  return {
    certsDir: options.certsDir ?? DEFAULT_CERTS_DIR,
    extraCaFile: options.extraCaFile,
    env: options.env ?? process.env,
  };
}

/** @throws TsrunError HOST when we are not root. */
export async function openContext(
  root: string,
  options: EngineOptions,
  native: () => Native,
): Promise<EngineContext> {
  if (process.geteuid?.() !== 0)
    throw new TsrunError('HOST', 'tsrun needs root: it makes namespaces, mounts and cgroups', {
      step: 'engine.open',
      hint: 'run it with sudo',
    });
  const helper = helperPath();
  const removeTrees = async (paths: string[]): Promise<void> => {
    const layer = await import('../layer/remove.js');
    await layer.removeTrees(helper, paths);
  };
  const deps = { native: native(), removeTrees };
  const store: Store = { paths: await openStore(root, deps), ...deps };
  return {
    ...store,
    store,
    helperPath: helper,
    storeTag: storeTag(store.paths.root),
    ...registryContext(options),
    users: async () => imageUsers(store),
    usedLayers: async () => usedLayers(store),
    onTrace: options.onTrace,
  };
}

/** 6 hex that tell this store's kernel objects from another's: of the place and of the directory that lies there. */
export function storeTag(root: string): string {
  const { dev, ino } = statSync(root, { bigint: true });
  return createHash('sha256').update(`${root}\0${dev}:${ino}`).digest('hex').slice(0, 6);
}
