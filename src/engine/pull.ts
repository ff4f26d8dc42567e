/** `pull`: resolve, download three layers at a time, unpack them bottom up, publish. */
import { TsrunError } from '../errors.js';
import { parsePlatform } from '../intent/platform.js';
import {
  canonical,
  familiar,
  familiarRepository,
  parseReference,
  type Reference,
  withDefaultTag,
} from '../intent/reference.js';
import type { RegistryClient } from '../registry/client.js';
import { blobSize, readBlob } from '../store/blobs.js';
import { readImage, unlessDamaged } from '../store/images.js';
import { chainIds, findLayers } from '../store/layers.js';
import { StagingDir } from '../store/staging.js';
import type { PullOptions, PullResult } from '../types/engine.js';
import { hexOf } from '../types/ids.js';
import type { ImageContext } from './image-context.js';
import { recordEvent } from './journal.js';
import { publishImages } from './publish.js';
import { LayerPull } from './pull-layers.js';
import { checkConfig, fetchConfig, type RemoteImage, resolveRemote } from './pull-manifest.js';
import { findEntry } from './resolve-image.js';
import { collectUnused } from './rmi.js';

/** @throws TsrunError with Docker's words for what a registry refuses */
export async function pullImage(
  context: ImageContext,
  text: string,
  options: PullOptions = {},
): Promise<PullResult> {
  const { signal, onEvent } = options;
  const parsed = parseReference(text);
  const reference = withDefaultTag(parsed);
  const tag = reference.digest ?? reference.tag ?? '';
  const defaultTag = parsed.tag === undefined && parsed.digest === undefined;
  onEvent?.({
    kind: 'resolving',
    reference: canonical(reference),
    tag,
    repository: reference.path,
    defaultTag,
  });
  if (options.platform !== undefined) parsePlatform(options.platform, process.arch);
  // The HTTP stack takes a tenth of a second to load: only a pull pays for it.
  const { RegistryClient } = await import('../registry/client.js');
  const { env, certsDir, extraCaFile } = context;
  const client = await RegistryClient.open(reference, { env, certsDir, extraCaFile });
  try {
    const remote = await resolveRemote(client, reference, options.platform, signal);
    context.onTrace?.({ source: 'engine', step: 'image.resolved', subject: remote.manifestDigest });
    onEvent?.({ kind: 'found', tag, repository: reference.path });
    const result = await obtain(context, client, reference, remote, options);
    onEvent?.({
      kind: 'done',
      reference: result.reference,
      digest: result.digest,
      upToDate: result.upToDate,
    });
    return result;
  } catch (error) {
    if (!signal?.aborted) throw error;
    throw new TsrunError('CANCELLED', 'pull canceled', { step: 'image.pull', subject: text, cause: error });
  } finally {
    client.close();
  }
}

async function obtain(
  context: ImageContext,
  client: RegistryClient,
  reference: Reference,
  remote: RemoteImage,
  options: PullOptions,
): Promise<PullResult> {
  const { store } = context;
  const work = await StagingDir.create(store);
  let worthless = false;
  try {
    const { config, layers } = remote.manifest;
    await work.lease(
      [remote.manifestDigest, config.digest, ...layers.map((layer) => layer.digest)].map(hexOf),
    );
    const bytes =
      blobSize(store.paths, config.digest) === config.size
        ? readBlob(store.paths, config.digest)
        : await fetchConfig(client, remote, options.signal);
    const imageConfig = checkConfig(bytes, remote, familiar(reference), options.platform);
    const { diff_ids: diffIds } = imageConfig.rootfs;
    await work.lease([...diffIds, ...chainIds(diffIds)].map(hexOf));
    if (!isComplete(context, reference, remote))
      await new LayerPull(context, client, work, remote, imageConfig, options).run();
    const name = canonical(reference);
    const [published] = await publishImages(store, [
      {
        manifest: remote.manifestBytes,
        mediaType: remote.mediaType,
        config: bytes,
        reference: name,
        repoDigest: reference.digest === undefined ? remote.digest : undefined,
      },
    ]);
    const upToDate = published !== undefined && published.previous === published.imageId;
    const attributes = { ...imageConfig.config?.Labels, name: familiarRepository(reference) };
    recordEvent(store, { type: 'image', action: 'pull', id: familiar(reference), attributes });
    return { imageId: config.digest, digest: remote.digest, reference: name, upToDate };
  } catch (error) {
    worthless = isWorthless(error);
    throw error;
  } finally {
    await work.discard();
    if (worthless) await collectUnused(context);
  }
}

/**
 * What came before the connection broke serves the next attempt. An image that lies about itself gets none; and on a full
 * disk what came is in the way, and no image bears its name yet by which the user could remove it.
 */
function isWorthless(error: unknown): boolean {
  if (!(error instanceof TsrunError)) return false;
  return ['CONTENT', 'FORMAT'].includes(error.code) || ['ENOSPC', 'EDQUOT'].includes(error.errno ?? '');
}

/** The reference names this very manifest here, and all of it is there: nothing is said about layers then. */
function isComplete({ store }: ImageContext, reference: Reference, remote: RemoteImage): boolean {
  const { paths } = store;
  const found = findEntry(paths, canonical(reference));
  if (found?.reference === undefined) return false;
  const { descriptor, original } = found.entry;
  if ((original ?? descriptor.digest) !== remote.manifestDigest) return false;
  const image = unlessDamaged(() => readImage(paths, found.entry, found.entries));
  if (image === undefined) return false;
  const unpacked = findLayers(paths, image.config.rootfs.diff_ids).every((layer) => layer !== undefined);
  return unpacked && remote.manifest.layers.every(({ digest, size }) => blobSize(paths, digest) === size);
}
