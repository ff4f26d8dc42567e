import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { loadNative } from '../../src/native/load.js';
import {
  type ContainerRecord,
  fillContainer,
  listIds,
  parseRecord,
  publishContainer,
  readExit,
  readRecord,
  unlistContainer,
} from '../../src/store/containers.js';
import { listNames, ownerOfName } from '../../src/store/names.js';
import { openStore } from '../../src/store/open.js';
import { containerPaths } from '../../src/store/paths.js';
import { moveToTrash, StagingDir, type Store, sweep } from '../../src/store/staging.js';
import { parseContainerId, parseDigest } from '../../src/types/ids.js';

async function withStore(run: (store: Store) => Promise<void>): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'tsrun-containers-'));
  const native = loadNative();
  const removeTrees = async (paths: string[]): Promise<void> => {
    for (const path of paths) rmSync(path, { recursive: true, force: true });
  };
  try {
    await run({ paths: await openStore(root, { native, removeTrees }), native, removeTrees });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function recordOf(digit: string, name: string): ContainerRecord {
  const config = {
    Hostname: '',
    Domainname: '',
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
  };
  return {
    version: 1,
    id: parseContainerId(digit.repeat(64)),
    name,
    created: '2026-01-01T00:00:00.000000000Z',
    image: { reference: 'busybox', id: parseDigest(`sha256:${'0'.repeat(64)}`) },
    path: 'true',
    args: [],
    config: { ...config, Tty: false, OpenStdin: false, StdinOnce: false, Image: 'busybox' },
    hostConfig: {},
    mounts: [],
    layers: [],
    diffIds: [],
    imageSize: 0,
    network: 'none',
    autoRemove: false,
    anonymousVolumes: [],
  };
}

const FILES = { config: '{}', launch: '{}', hostname: 'h\n', hosts: '', resolvConf: '', resolvConfMark: '' };

async function make(store: Store, record: ContainerRecord): Promise<void> {
  const staging = await StagingDir.create(store);
  try {
    fillContainer(staging.dir, { record, files: FILES }, true);
    publishContainer(store.paths, staging.dir, record, true);
  } finally {
    await staging.discard();
  }
}

test('a container appears whole, under its id and its name', async (t) => {
  await withStore(async (store) => {
    const record = recordOf('a', 'web');
    await make(store, record);
    t.deepEqual(listIds(store.paths), [record.id]);
    t.deepEqual(readRecord(store.paths, record.id), record);
    t.is(ownerOfName(store.paths, 'web'), record.id);
    const at = store.paths.container(record.id);
    t.is(statSync(at.dir).mode & 0o777, 0o700);
    t.is(statSync(at.upper).mode & 0o777, 0o755);
    for (const file of [at.lock, at.config, at.launch, at.hosts, at.hostname, at.resolvConf, at.work])
      t.true(existsSync(file), file);
    t.deepEqual(readdirSync(store.paths.staging), ['ingest']);
  });
});

test('a taken name is refused in the words that scripts know, and nothing of the second container stays', async (t) => {
  await withStore(async (store) => {
    const owner = recordOf('a', 'web');
    await make(store, owner);
    await t.throwsAsync(make(store, recordOf('b', 'web')), {
      code: 'CONFLICT',
      message:
        `Conflict. The container name "/web" is already in use by container "${owner.id}". ` +
        'You have to remove (or rename) that container to be able to reuse that name.',
    });
    t.deepEqual(listIds(store.paths), [owner.id]);
    t.deepEqual(readdirSync(store.paths.staging), ['ingest']);
  });
});

test('a container is unmade by one rename, its name goes with it', async (t) => {
  await withStore(async (store) => {
    const record = recordOf('a', 'web');
    await make(store, record);
    const trashed = await moveToTrash(store, store.paths.container(record.id).dir);
    t.is(readRecord(store.paths, record.id), undefined);
    unlistContainer(store.paths, record);
    t.deepEqual(listNames(store.paths), []);
    await trashed?.discard();
    t.deepEqual(readdirSync(store.paths.trash), []);
  });
});

test('the name of another container is left alone', async (t) => {
  await withStore(async (store) => {
    await make(store, recordOf('a', 'web'));
    unlistContainer(store.paths, recordOf('b', 'web'));
    t.is(ownerOfName(store.paths, 'web'), recordOf('a', 'web').id);
  });
});

test('what a dead creation left is swept', async (t) => {
  await withStore(async (store) => {
    const staging = await StagingDir.create(store);
    fillContainer(staging.dir, { record: recordOf('a', 'web'), files: FILES }, false);
    await sweep(store);
    t.true(existsSync(containerPaths(staging.dir).record));
    staging.release();
    await sweep(store);
    t.false(existsSync(staging.dir));
  });
});

test('a record of another version, or damaged, says so', (t) => {
  t.throws(() => parseRecord('{"version":2}', 'x'), { code: 'FORMAT', message: /version/ });
  t.throws(() => parseRecord('{"vers', 'x'), { code: 'FORMAT', message: /damaged/ });
});

test('no exit record is no exit', async (t) => {
  await withStore(async (store) => {
    t.is(readExit(store.paths.container(recordOf('a', 'web').id)), undefined);
  });
});
