/** What `system check --repair` does: one function per remedy. Each looks again at what it changes, under the lock. */
import { existsSync, mkdirSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { errnoOf, TsrunError } from '../errors.js';
import type { LayerOrigin, Remedy } from '../plan/store-check-facts.js';
import { syncDir, writeFileAtomic } from '../store/atomic.js';
import { publishBlob } from '../store/blobs.js';
import { probeAlive, readRecord, renewName } from '../store/containers.js';
import { readIndex, writeIndex } from '../store/index-file.js';
import { makeInitLayer } from '../store/init-layer.js';
import { layerKey, publishLayer, RECORD_SUFFIX } from '../store/layers.js';
import { withStorageLock } from '../store/locks.js';
import { listNames, releaseName } from '../store/names.js';
import { quarantine } from '../store/quarantine.js';
import { moveToTrash, type StagingDir } from '../store/staging.js';
import { type VolumeRecord, volumeData } from '../store/volumes.js';
import { type Digest, hexOf, parseContainerId } from '../types/ids.js';
import { hashOfFile, unpackFresh } from './check-content.js';
import { rebuildIndex } from './check-index.js';
import { timestamp } from './clock.js';
import type { EngineContext } from './context.js';

/** `work` holds leases on everything that the check looks at. @throws TsrunError if it cannot be done */
export async function applyRemedy(
  ctx: EngineContext,
  work: StagingDir,
  remedy: Remedy,
  signal?: AbortSignal,
): Promise<void> {
  switch (remedy.do) {
    case 'rebuild-index':
      return await rebuildIndex(ctx);
    case 'rebuild-init-layer':
      return await rebuildInitLayer(ctx);
    case 'remove-blob':
      return await removeFile(ctx, join(ctx.paths.blobs, remedy.hex));
    case 'repack-blob':
      return await repackBlob(ctx, work, remedy.digest, remedy.key, signal);
    case 'rebuild-layer':
      return await rebuildLayer(ctx, work, remedy.origin, remedy.key, signal);
    case 'quarantine-layer':
      return await quarantineLayer(ctx, remedy.key);
    case 'drop-image':
      return await dropImage(ctx, remedy.manifest);
    case 'name-container':
      return await nameContainer(ctx, remedy.id);
    case 'quarantine-container':
      return await quarantineContainer(ctx, remedy.id);
    case 'quarantine-file':
      return void (await quarantine(ctx.paths, join(ctx.paths.containers, remedy.id, remedy.file)));
    case 'make-lock':
      return writeFileSync(ctx.paths.container(parseContainerId(remedy.id)).lock, '', {
        mode: 0o600,
        flag: 'a',
      });
    case 'write-volume-record':
      return await writeVolumeRecord(ctx, remedy.name);
    case 'make-volume-data':
      return mkdirSync(volumeData(ctx.paths, remedy.name), { mode: 0o755 });
  }
}

async function locked<T>(ctx: EngineContext, fn: () => Promise<T> | T): Promise<T> {
  return await withStorageLock(ctx.paths, ctx.native, 'exclusive', fn);
}

async function removeFile(ctx: EngineContext, path: string): Promise<void> {
  await locked(ctx, async () => {
    try {
      unlinkSync(path);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
    await syncDir(ctx.paths.blobs);
  });
}

async function rebuildInitLayer(ctx: EngineContext): Promise<void> {
  const old = await moveToTrash(ctx, ctx.paths.initLayer);
  await makeInitLayer(ctx);
  await old?.discard();
}

/** The tar of a layer that was packed here, made again from its directory. */
async function repackBlob(
  ctx: EngineContext,
  work: StagingDir,
  digest: Digest,
  key: string,
  signal?: AbortSignal,
): Promise<void> {
  const { packLayer } = await import('../layer/pack.js');
  const file = join(work.dir, `${hexOf(digest)}.tar`);
  const output = await open(file, 'w', 0o600);
  try {
    const { helperPath, paths } = ctx;
    await packLayer({ helperPath, upper: paths.layer(key), output: output.fd, signal });
  } finally {
    await output.close();
  }
  if ((await hashOfFile(file, signal)) !== hexOf(digest)) {
    unlinkSync(file);
    await removeFile(ctx, ctx.paths.blob(digest));
    throw new TsrunError('CONTENT', 'it was not packed here: its directory gives other bytes', {
      subject: digest,
    });
  }
  await publishBlob(ctx.paths, file, digest);
}

async function rebuildLayer(
  ctx: EngineContext,
  work: StagingDir,
  origin: LayerOrigin,
  damaged: string | undefined,
  signal?: AbortSignal,
): Promise<void> {
  const { dir, result } = await unpackFresh(ctx, work, origin, signal);
  const { diffId, chainId, digest } = origin;
  const { standalone, contentSize, tarSize } = result;
  const key = layerKey(diffId, chainId, standalone);
  const old = await locked(ctx, async () => {
    const trash = damaged === undefined ? undefined : await moveToTrash(ctx, ctx.paths.layer(damaged));
    if (damaged !== undefined && damaged !== key) await removeRecord(ctx, damaged);
    await publishLayer(ctx, dir, key, { diffId, standalone, contentSize, tarSize, digest });
    return trash;
  });
  await old?.discard();
}

async function removeRecord({ paths }: EngineContext, key: string): Promise<void> {
  const path = paths.layer(key) + RECORD_SUFFIX;
  if (existsSync(path)) unlinkSync(path);
  await syncDir(paths.layers);
}

async function quarantineLayer(ctx: EngineContext, key: string): Promise<void> {
  await locked(ctx, async () => {
    await quarantine(ctx.paths, ctx.paths.layer(key));
    await quarantine(ctx.paths, ctx.paths.layer(key) + RECORD_SUFFIX);
  });
}

async function dropImage(ctx: EngineContext, manifest: Digest): Promise<void> {
  await locked(ctx, async () => {
    const entries = readIndex(ctx.paths);
    await writeIndex(
      ctx.paths,
      entries.filter(({ descriptor }) => descriptor.digest !== manifest),
    );
  });
}

async function nameContainer(ctx: EngineContext, text: string): Promise<void> {
  const id = parseContainerId(text);
  await locked(ctx, () => {
    const record = readRecord(ctx.paths, id);
    if (record === undefined) return;
    const owner = listNames(ctx.paths).find(({ name }) => name === record.name)?.owner;
    if (owner !== undefined && owner !== id)
      throw new TsrunError('CONFLICT', `its name ${record.name} is that of another container`, {
        subject: id,
        hint: `tsrun rename ${id.slice(0, 12)} NEW_NAME`,
      });
    renewName(ctx.paths, record, ctx.paths.container(id).record);
  });
}

/** With its writable part: whoever needs a file of it finds it there. Its name is free then. */
async function quarantineContainer(ctx: EngineContext, text: string): Promise<void> {
  const { dir, record } = ctx.paths.container(parseContainerId(text));
  await locked(ctx, async () => {
    const [alive] = probeAlive(ctx.native, ctx.paths, [parseContainerId(text)]);
    if (alive === true) throw new TsrunError('IN_USE', 'it runs', { subject: text });
    const inode = statSync(record, { throwIfNoEntry: false })?.ino;
    await quarantine(ctx.paths, dir);
    // The name is a hard link to the record, and as unreadable.
    for (const { name } of listNames(ctx.paths))
      if (inode !== undefined && statSync(ctx.paths.name(name)).ino === inode) releaseName(ctx.paths, name);
  });
}

async function writeVolumeRecord(ctx: EngineContext, name: string): Promise<void> {
  const path = join(ctx.paths.volume(name), 'volume.json');
  await quarantine(ctx.paths, path);
  const anonymous = /^[0-9a-f]{64}$/.test(basename(name));
  const record: VolumeRecord = { name, createdAt: timestamp(), labels: {}, anonymous };
  await writeFileAtomic(path, JSON.stringify(record));
}
