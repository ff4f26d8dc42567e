/** A store of its own in a temporary directory, with the real addon and the real helper. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ImageContext } from '../../src/engine/image-context.js';
import { removeTrees } from '../../src/layer/remove.js';
import { helperPath, loadNative } from '../../src/native/load.js';
import type { ImageUser } from '../../src/plan/remove-image.js';
import { openStore } from '../../src/store/open.js';
import { type Store, sweep } from '../../src/store/staging.js';

export interface TestStore {
  readonly context: ImageContext;
  readonly store: Store;
  /** What `rmi` is told about containers. */
  readonly users: ImageUser[];
  readonly usedLayers: Set<string>;
  /** Layer keys, blobs and work in progress, after a sweep. */
  content(): Promise<{ layers: string[]; blobs: string[]; staging: string[]; trash: string[] }>;
  remove(): void;
}

export async function testStore(settings: Partial<ImageContext> = {}): Promise<TestStore> {
  const root = mkdtempSync(join(tmpdir(), 'tsrun-store-'));
  const helper = helperPath();
  const deps = { native: loadNative(), removeTrees: (paths: string[]) => removeTrees(helper, paths) };
  const paths = await openStore(root, deps);
  const store: Store = { paths, ...deps };
  const users: ImageUser[] = [];
  const usedLayers = new Set<string>();
  return {
    store,
    users,
    usedLayers,
    context: {
      store,
      helperPath: helper,
      certsDir: join(root, 'no-certs'),
      env: {},
      users: async () => users,
      usedLayers: async () => usedLayers,
      ...settings,
    },
    content: async () => {
      await sweep(store);
      return {
        layers: readdirSync(paths.layers).filter((name) => name !== 'init-v1'),
        blobs: readdirSync(paths.blobs),
        staging: readdirSync(paths.staging)
          .filter((name) => name !== 'ingest')
          .concat(readdirSync(paths.ingest)),
        trash: readdirSync(paths.trash),
      };
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}
