/** `commit`: the writable part becomes one more layer. What lies below is neither read again nor packed again. */
import { closeSync, openSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { TsrunError } from '../errors.js';
import { parseChanges } from '../intent/change.js';
import { familiar, parseReference } from '../intent/reference.js';
import type { PackVolume } from '../layer/pack.js';
import { planCommit } from '../plan/commit.js';
import type { ContainerRecord } from '../store/containers.js';
import type { StoredImage } from '../store/images.js';
import { StagingDir } from '../store/staging.js';
import type { CommitOptions } from '../types/engine.js';
import { hexOf, type ImageId, parseDiffId } from '../types/ids.js';
import { creationTime } from './clock.js';
import { volumesToPack } from './commit-volumes.js';
import type { EngineContext } from './context.js';
import { addPackedLayer, type PackedLayer, publishImage } from './import-layer.js';
import { recordContainerEvent } from './journal.js';
import { withContainerLock } from './lock.js';
import { connectMonitor } from './monitor.js';
import { resolveContainer } from './resolve.js';
import { findImage } from './resolve-image.js';
import { newReference } from './tag.js';
import { imageDirs, writablePart } from './writable.js';

/** @throws TsrunError USAGE for a bad name or change (before anything is read), NOT_FOUND. */
export async function commit(
  ctx: EngineContext,
  text: string,
  options: CommitOptions = {},
): Promise<ImageId> {
  const record = resolveContainer(ctx.paths, text);
  const reference = newReference(options.repository);
  parseChanges(options.changes ?? []);
  const created = creationTime(options.timestamp);
  const volumes = volumesToPack(ctx, record, options);
  return withContainerLock(ctx, record.id, async () => {
    const work = await StagingDir.create(ctx);
    try {
      const base = await leaseBase(work, baseOf(ctx, record), record);
      const layer = await still(ctx, record, options.pause !== false, () =>
        pack(ctx, work, record, volumes, options),
      );
      return await publish(ctx, work, { record, base, layer, reference, created, options });
    } finally {
      await work.discard();
    }
  });
}

/** @throws TsrunError NOT_FOUND after `rmi -f` of the image: the layers are kept for the container, their blobs are not. */
function baseOf(ctx: EngineContext, record: ContainerRecord): StoredImage {
  const base = findImage(ctx.paths, record.image.id);
  if (base !== undefined) return base;
  throw new TsrunError('NOT_FOUND', `No such image: ${record.image.id}`, {
    step: 'commit',
    subject: record.image.reference,
    hint: 'the image that this container was made from has been removed; pull or load it again, then commit',
  });
}

/** From here on no `rmi` takes away what the new image will stand on. */
async function leaseBase(work: StagingDir, base: StoredImage, record: ContainerRecord): Promise<StoredImage> {
  const blobs = [base.manifest.config, ...base.manifest.layers].map(({ digest }) => hexOf(digest));
  await work.lease([...record.layers, ...blobs]);
  return base;
}

/** Runs `read` while the container's processes stand still, so that no file changes half-read. */
async function still<T>(
  ctx: EngineContext,
  record: ContainerRecord,
  pause: boolean,
  read: () => Promise<T>,
): Promise<T> {
  const client = pause ? await connectMonitor(ctx, record.id) : undefined;
  if (client === undefined) return read();
  try {
    // If it ends before it is frozen, it is as still as can be.
    await client.freeze().catch((error: unknown) => {
      if (!(error instanceof TsrunError) || (error.code !== 'NOT_RUNNING' && error.errno !== 'ESRCH'))
        throw error;
    });
    return await read();
  } finally {
    // The monitor thaws what this connection froze.
    client.detach();
  }
}

/** The tar of the new layer, and at the same time its directory. */
async function pack(
  ctx: EngineContext,
  work: StagingDir,
  record: ContainerRecord,
  volumes: readonly PackVolume[],
  { squash, timestamp: clampMtime }: CommitOptions,
): Promise<PackedLayer> {
  const { packAndUnpack } = await import('../layer/pack.js');
  const [tar, target] = [join(work.dir, 'layer.tar'), join(work.dir, 'layer')];
  await mkdir(target, { mode: 0o755 });
  const output = openSync(tar, 'wx', 0o600);
  try {
    const { lower, ...part } = writablePart(ctx, record);
    const image = imageDirs(ctx, record);
    // The engine's own layer is for containers, not for images.
    const below = squash ? image : lower;
    const onto = squash ? [] : image;
    const request = { ...part, lower: below, output, volumes, whole: squash, clampMtime };
    const { unpacked, ...packed } = await packAndUnpack(request, target, onto);
    return { tar, target, packed, unpacked };
  } finally {
    closeSync(output);
  }
}

interface Publication {
  record: ContainerRecord;
  base: StoredImage;
  layer: PackedLayer;
  /** Canonical. */
  reference: string | undefined;
  created: string;
  options: CommitOptions;
}

async function publish(ctx: EngineContext, work: StagingDir, publication: Publication): Promise<ImageId> {
  const { record, base, layer, reference, created, options } = publication;
  const { packed } = layer;
  // As with Docker: what changes nothing makes no layer.
  const diffId = packed.entries === 0 ? undefined : parseDiffId(packed.diffId);
  const config = planCommit({
    base: base.config,
    argv: [record.path, ...record.args],
    config: record.config,
    diffId,
    created,
    options,
  });
  const layers = options.squash ? [] : [...base.manifest.layers];
  if (diffId !== undefined) {
    const below = options.squash ? [] : base.config.rootfs.diff_ids;
    layers.push(await addPackedLayer(ctx, work, layer, below));
  }
  const imageID = await publishImage(ctx, work, {
    config,
    layers,
    reference,
    parent: options.squash ? undefined : base.id,
  });
  const imageRef = reference === undefined ? '' : familiar(parseReference(reference));
  recordContainerEvent(ctx, record, 'commit', { comment: options.message ?? '', imageID, imageRef });
  return imageID;
}
