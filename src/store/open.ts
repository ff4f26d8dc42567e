/** Makes the store's tree, or finds it as it should be. */
import { chmodSync, lstatSync, mkdirSync, readdirSync, realpathSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import { errnoOf, TsrunError } from '../errors.js';
import { readJson, systemError, writeFileAtomic } from './atomic.js';
import { makeDirs } from './directories.js';
import { unlessDamaged } from './images.js';
import { makeInitLayer } from './init-layer.js';
import { withStorageLock } from './locks.js';
import { type StorePaths, storePaths } from './paths.js';
import { exists, type Store } from './staging.js';

const OCI_LAYOUT = { imageLayoutVersion: '1.0.0' };
const EMPTY_INDEX = {
  schemaVersion: 2,
  mediaType: 'application/vnd.oci.image.index.v1+json',
  manifests: [],
};

/**
 * Opens (and on first use creates) the store below `root`. Every directory is 0700 and ours: layers hold set-uid files
 * that no local user may reach. Cheap when all is there: one lstat per directory.
 */
export async function openStore(root: string, deps: Omit<Store, 'paths'>): Promise<StorePaths> {
  const paths = storePaths(makeRoot(isAbsolute(root) ? root : resolve(root)));
  for (const dir of [
    paths.oci,
    dirname(paths.blobs),
    paths.blobs,
    paths.layers,
    paths.containers,
    paths.names,
    paths.volumes,
    paths.staging,
    paths.ingest,
    paths.trash,
  ])
    makePrivateDir(dir);
  const store: Store = { ...deps, paths };
  await makeLayout(store);
  if (!(await exists(paths.initLayer))) {
    // Layers are unpacked there. Beside each other, a new one waits for ext4 to pass over every inode of one just removed.
    store.native.spreadDirectories(paths.staging);
    await makeInitLayer(store);
  }
  return paths;
}

/** Both files under the lock: a sweep takes temporary files in oci/ that nobody who holds it is writing for abandoned. */
async function makeLayout(store: Store): Promise<void> {
  const { paths } = store;
  // Its content never changes, so a damaged one is simply written again.
  const layout = () => unlessDamaged(() => readJson(paths.ociLayout));
  if (layout() !== undefined && (await exists(paths.index))) return;
  await withStorageLock(paths, store.native, 'exclusive', async () => {
    if (layout() === undefined) await writeFileAtomic(paths.ociLayout, `${JSON.stringify(OCI_LAYOUT)}\n`);
    if (!(await exists(paths.index))) await writeFileAtomic(paths.index, `${JSON.stringify(EMPTY_INDEX)}\n`);
  });
}

/** The root may be a link that the administrator made (to a larger disk); what lies below it may not. */
function makeRoot(root: string): string {
  try {
    makeDirs(root, 0o700);
    const real = realpathSync(root);
    refuseForeign(real);
    makePrivateDir(real);
    return real;
  } catch (error) {
    if (errnoOf(error) === 'EACCES' || errnoOf(error) === 'EPERM')
      throw new TsrunError('HOST', `cannot use the store ${root}: permission denied`, {
        step: 'store.open',
        errno: errnoOf(error),
        subject: root,
        hint: 'run as root (sudo), or choose another place with --root DIR',
        cause: error,
      });
    if (errnoOf(error) === 'EEXIST' || errnoOf(error) === 'ENOTDIR')
      throw new TsrunError('HOST', `cannot use the store ${root}: it is not a directory`, {
        step: 'store.open',
        subject: root,
        hint: 'name a new or empty directory with --root',
        cause: error,
      });
    throw systemError('store.open', root, error);
  }
}

/** `--root /tmp` must not turn /tmp into a 0700 directory. */
function refuseForeign(root: string): void {
  const names = readdirSync(root);
  if (names.length === 0 || names.includes('oci')) return;
  throw new TsrunError('HOST', `${root} is not empty and is not a tsrun store`, {
    step: 'store.open',
    subject: root,
    hint: 'name a new or empty directory with --root',
  });
}

function makePrivateDir(dir: string): void {
  try {
    mkdirSync(dir, { mode: 0o700 });
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
  const stat = lstatSync(dir);
  if (!stat.isDirectory())
    throw new TsrunError('HOST', `${dir} is not a directory`, { step: 'store.open', subject: dir });
  if (stat.uid !== process.geteuid?.())
    throw new TsrunError('HOST', `${dir} belongs to uid ${stat.uid}, not to the user that runs tsrun`, {
      step: 'store.open',
      subject: dir,
      hint: `chown it, or choose another place with --root DIR`,
    });
  if ((stat.mode & 0o7777) !== 0o700) chmodSync(dir, 0o700);
}
