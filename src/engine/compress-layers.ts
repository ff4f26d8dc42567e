/** What commit keeps uncompressed gets the form in which it travels: once, and the image keeps it. */
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { TsrunError } from '../errors.js';
import { compressLayer } from '../layer/compress.js';
import { digestOf, publishBlob, putBlob, readBlob } from '../store/blobs.js';
import { allEntries } from '../store/images.js';
import { writeIndex } from '../store/index-file.js';
import { withStorageLock } from '../store/locks.js';
import type { NamedEntry } from '../store/references.js';
import type { StagingDir } from '../store/staging.js';
import { MediaType, parseDocument } from '../types/documents.js';
import { type Digest, hexOf, parseDigest } from '../types/ids.js';
import type { Descriptor, Manifest } from '../types/oci.js';
import type { ImageContext } from './image-context.js';

export interface SendableManifest {
  readonly bytes: Buffer;
  readonly mediaType: string;
  readonly digest: Digest;
  readonly manifest: Manifest;
  /** True if it was made just now, and the image has it from now on. */
  readonly compressed: boolean;
}

/**
 * The manifest of an image as a registry gets it. One that came from a registry stays as it is, for its digest; a local one
 * has its plain layers compressed. Its config, and so its id, stays. `work` leases what is made.
 */
export async function sendableManifest(
  context: ImageContext,
  work: StagingDir,
  entry: NamedEntry,
  signal?: AbortSignal,
): Promise<SendableManifest> {
  const { paths } = context.store;
  const { digest, mediaType } = entry.descriptor;
  if (entry.original !== undefined) return read(context, entry.original, MediaType.dockerManifest);
  const stored = read(context, digest, mediaType);
  const plain = stored.manifest.layers.filter((layer) => layer.mediaType === MediaType.ociLayer);
  if (entry.repoDigest !== undefined || plain.length === 0) return stored;
  const packed = new Map<Digest, Descriptor>();
  for (const layer of plain) packed.set(layer.digest, await compress(context, work, layer, signal));
  const manifest = {
    ...stored.manifest,
    layers: stored.manifest.layers.map((layer) => packed.get(layer.digest) ?? layer),
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  const descriptor = { ...entry.descriptor, digest: digestOf(bytes), size: bytes.length };
  await work.lease([hexOf(descriptor.digest)]);
  await putBlob(paths, bytes);
  await withStorageLock(paths, context.store.native, 'exclusive', () =>
    writeIndex(
      paths,
      allEntries(paths).map((each) => (each.descriptor.digest === digest ? { ...each, descriptor } : each)),
    ),
  );
  return { bytes, mediaType, digest: descriptor.digest, manifest, compressed: true };
}

function read({ store }: ImageContext, digest: Digest, mediaType: string): SendableManifest {
  const bytes = readBlob(store.paths, digest);
  const document = parseDocument(bytes, mediaType, digest);
  if (document.kind === 'manifest')
    return { bytes, mediaType, digest, manifest: document.manifest, compressed: false };
  throw new TsrunError('FORMAT', `${digest}: not an image manifest`, {
    step: 'store.image',
    subject: digest,
  });
}

async function compress(
  { store: { paths }, helperPath }: ImageContext,
  work: StagingDir,
  layer: Descriptor,
  signal?: AbortSignal,
): Promise<Descriptor> {
  const file = join(work.dir, `${hexOf(layer.digest)}.gz`);
  const input = openSync(paths.blob(layer.digest), 'r');
  const output = openSync(file, 'wx', 0o600);
  try {
    const { digest, size, diffId } = await compressLayer({ helperPath, input, output, signal });
    // Of a plain layer digest and diff ID are one.
    if (diffId !== layer.digest)
      throw new TsrunError('CONTENT', `blob ${layer.digest} is damaged`, {
        step: 'layer.verify',
        subject: layer.digest,
      });
    const made = parseDigest(digest);
    await work.lease([hexOf(made)]);
    await publishBlob(paths, file, made);
    return { ...layer, mediaType: MediaType.ociLayerGzip, digest: made, size };
  } finally {
    closeSync(input);
    closeSync(output);
  }
}
