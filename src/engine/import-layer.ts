/** What `commit` and `import` add: one layer, made here, and the image that has it on top. */
import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { TsrunError } from '../errors.js';
import type { ApplyResult, PackResult } from '../native/protocol.js';
import { blobSize, digestOf, digestOfHash, publishBlob } from '../store/blobs.js';
import { chainIds } from '../store/layers.js';
import type { StagingDir } from '../store/staging.js';
import { MediaType, ociType } from '../types/documents.js';
import { type ChainId, type DiffId, hexOf, type ImageId, parseDiffId, parseDigest } from '../types/ids.js';
import type { Descriptor, ImageConfig, Manifest } from '../types/oci.js';
import type { ImageContext } from './image-context.js';
import { publishImages } from './publish.js';
import { publishUnpacked, unpackLayer } from './unpack.js';

/**
 * Stores an uncompressed layer tar that lies in `work` (it is moved away) and unpacks it over `base`.
 * @param diffId what packing the tar said; it is checked again
 * @param base diff IDs of the layers below, bottom first
 * @param lower their directories, topmost first
 */
export async function addLayerFromTar(
  context: ImageContext,
  work: StagingDir,
  tar: string,
  diffId: DiffId,
  base: readonly DiffId[],
  lower: readonly string[],
): Promise<Descriptor> {
  const { paths } = context.store;
  const chainId = chainIds([...base, diffId]).at(-1) as ChainId;
  const size = statSync(tar).size;
  // Of an uncompressed blob diff ID and digest are one.
  const digest = parseDigest(diffId);
  await work.lease([digest, chainId].map(hexOf));
  const { unpacked } = await unpackLayer(context, work, {
    input: tar,
    digest,
    diffId,
    chainId,
    lower,
  });
  if (blobSize(paths, digest) !== size) {
    // Unpacking has hashed it; a layer that was there before has not been read.
    if (!unpacked && (await hashFile(tar)) !== digest)
      throw new TsrunError('CONTENT', `layer ${diffId} changed after it was packed`, {
        step: 'layer.verify',
        subject: diffId,
      });
    await publishBlob(paths, tar, digest);
  }
  return { mediaType: MediaType.ociLayer, digest, size };
}

/**
 * Stores a layer that was packed to `tar` in `work` (it is moved away) and unpacked to `target` at the same time.
 * @param base diff IDs of the layers below, bottom first
 */
export async function addPackedLayer(
  context: ImageContext,
  work: StagingDir,
  { tar, target, packed, unpacked }: PackedLayer,
  base: readonly DiffId[],
): Promise<Descriptor> {
  const { paths } = context.store;
  const diffId = parseDiffId(packed.diffId);
  const chainId = chainIds([...base, diffId]).at(-1) as ChainId;
  const digest = parseDigest(diffId);
  await work.lease([digest, chainId].map(hexOf));
  await publishUnpacked(context, target, { digest, diffId, chainId }, unpacked);
  const size = packed.tarSize;
  if (blobSize(paths, digest) !== size) await publishBlob(paths, tar, digest);
  return { mediaType: MediaType.ociLayer, digest, size };
}

export interface PackedLayer {
  readonly tar: string;
  readonly target: string;
  readonly packed: PackResult;
  readonly unpacked: ApplyResult;
}

async function hashFile(path: string) {
  const hash = createHash('sha256');
  const stream: AsyncIterable<Buffer> = createReadStream(path, { highWaterMark: 1024 * 1024 });
  for await (const chunk of stream) hash.update(chunk);
  return digestOfHash(hash);
}

export interface NewImage {
  readonly config: ImageConfig;
  /** Bottom first, as many as the config has diff IDs. */
  readonly layers: readonly Descriptor[];
  /** Canonical; undefined = an untagged image. */
  readonly reference?: string;
  /** The image that it was made from. */
  readonly parent?: ImageId;
}

/** Stores an image whose layers are all in the store and leased by `work`. */
export async function publishImage(
  context: ImageContext,
  work: StagingDir,
  image: NewImage,
): Promise<ImageId> {
  const config = Buffer.from(JSON.stringify(image.config));
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: MediaType.ociManifest,
    config: { mediaType: MediaType.ociConfig, digest: digestOf(config), size: config.length },
    layers: image.layers.map((layer) => ({ ...layer, mediaType: ociType(layer.mediaType) })),
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  const names = [digestOf(config), digestOf(bytes), ...image.layers.map(({ digest }) => digest)];
  await work.lease(
    [...names, ...image.config.rootfs.diff_ids, ...chainIds(image.config.rootfs.diff_ids)].map(hexOf),
  );
  await publishImages(context.store, [
    {
      manifest: bytes,
      mediaType: MediaType.ociManifest,
      config,
      reference: image.reference,
      parent: image.parent,
    },
  ]);
  return digestOf(config);
}
