/** The first half of a pull: which image is meant. The tag is resolved once; everything after is by digest. */
import { readFileSync } from 'node:fs';
import { TsrunError } from '../errors.js';
import { hostPlatform, parsePlatform, requirePlatform } from '../intent/platform.js';
import { DEFAULT_TAG, familiar, type Reference } from '../intent/reference.js';
import { amd64LevelOf, chooseManifest } from '../registry/choose.js';
import type { BlobSink, FetchedManifest, RegistryClient } from '../registry/client.js';
import { digestOf, MAX_DOCUMENT } from '../store/blobs.js';
import { assertImage, MediaType, parseDocument, parseImageConfig } from '../types/documents.js';
import type { Digest } from '../types/ids.js';
import type { Descriptor, ImageConfig, Manifest } from '../types/oci.js';

const MAX_NESTING = 4;

export interface RemoteImage {
  /** Of what the tag pointed at: an index, or the manifest itself. */
  readonly digest: Digest;
  readonly manifest: Manifest;
  readonly manifestBytes: Buffer;
  readonly manifestDigest: Digest;
  readonly mediaType: string;
}

export async function resolveRemote(
  client: RegistryClient,
  reference: Reference,
  platform: string | undefined,
  signal?: AbortSignal,
): Promise<RemoteImage> {
  const subject = familiar(reference);
  const wanted = platform === undefined ? hostPlatform(process.arch) : parsePlatform(platform, process.arch);
  const first = await client.manifest(reference.digest ?? reference.tag ?? DEFAULT_TAG, signal);
  let fetched: FetchedManifest = first;
  for (let depth = 0; depth <= MAX_NESTING; depth += 1) {
    const document = parseDocument(fetched.bytes, fetched.mediaType, subject);
    if (document.kind === 'manifest') {
      const { manifest } = document;
      assertImage(manifest, subject);
      const mediaType = manifest.mediaType ?? fetched.mediaType ?? MediaType.ociManifest;
      return {
        digest: first.digest,
        manifest,
        manifestBytes: fetched.bytes,
        manifestDigest: fetched.digest,
        mediaType,
      };
    }
    const chosen = chooseManifest(document.index, wanted, amd64Level);
    fetched = await client.manifest(chosen.digest, signal);
    if (fetched.bytes.length !== chosen.size) throw wrongSize(chosen, fetched.bytes.length);
  }
  throw new TsrunError('FORMAT', `${subject}: indexes nested more than ${MAX_NESTING} deep`, {
    step: 'image.pull',
    subject,
  });
}

/** The image config, verified, from the registry. */
export async function fetchConfig(
  client: RegistryClient,
  { manifest }: Pick<RemoteImage, 'manifest'>,
  signal?: AbortSignal,
): Promise<Buffer> {
  const { config } = manifest;
  if (config.size > MAX_DOCUMENT)
    throw new TsrunError('FORMAT', `the image config has ${config.size} bytes, more than ${MAX_DOCUMENT}`, {
      step: 'image.pull',
      subject: config.digest,
    });
  const sink = new MemorySink(config.digest);
  await client.blob(config, sink, signal);
  return sink.bytes();
}

/** @throws TsrunError FORMAT or NOT_FOUND for an image that cannot be used here or was not asked for */
export function checkConfig(
  bytes: Uint8Array,
  { manifest }: Pick<RemoteImage, 'manifest'>,
  subject: string,
  platform?: string,
): ImageConfig {
  const config = parseImageConfig(bytes, subject);
  if (config.rootfs.diff_ids.length !== manifest.layers.length)
    throw new TsrunError(
      'FORMAT',
      `${subject}: the manifest has ${manifest.layers.length} layers, the config ${config.rootfs.diff_ids.length}`,
      { step: 'image.pull', subject },
    );
  if (config.os !== 'linux')
    throw new TsrunError('FORMAT', `image operating system "${config.os}" cannot be used on this platform`, {
      step: 'image.pull',
      subject,
    });
  if (platform !== undefined) requirePlatform(config, parsePlatform(platform, process.arch), subject);
  return config;
}

function wrongSize({ digest, size }: Descriptor, actual: number): TsrunError {
  return new TsrunError('CONTENT', `${digest} has ${actual} bytes, its descriptor says ${size}`, {
    step: 'image.pull',
    subject: digest,
  });
}

function amd64Level(): number {
  return amd64LevelOf(readFileSync('/proc/cpuinfo', 'utf8'));
}

/** For documents: at most as many bytes as the descriptor said, which was checked before. */
class MemorySink implements BlobSink {
  private chunks: Buffer[] = [];

  constructor(private readonly digest: Digest) {}

  get offset(): number {
    return this.chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  async write(chunk: Buffer): Promise<void> {
    this.chunks.push(chunk);
  }

  async restart(): Promise<void> {
    this.chunks = [];
  }

  matches(): boolean {
    return digestOf(this.bytes()) === this.digest;
  }

  bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }
}
