/** manifest.json of a docker archive, as `docker save` writes it since 1.10. */
import { closeSync, openSync, readSync } from 'node:fs';
import { compressionOf } from '../layer/archive-reader.js';
import { digestOf } from '../store/blobs.js';
import { isObject, MediaType, parseObject } from '../types/documents.js';
import type { Manifest } from '../types/oci.js';
import { type BlobFile, bad, type Content, configOf, type PlannedImage, referenceIn } from './load-common.js';

export interface DockerItem {
  readonly config: string;
  readonly tags: readonly string[];
  readonly layers: readonly string[];
}

export function dockerItems(bytes: Buffer): DockerItem[] {
  const { items } = parseObject(
    Buffer.from(`{"items":${bytes.toString('utf8')}}`),
    'manifest.json',
    'manifest.json',
  );
  if (!Array.isArray(items)) throw bad('manifest.json', 'it is no list');
  return items.map((item) => {
    if (!isObject(item) || typeof item.Config !== 'string' || !isTexts(item.Layers ?? []))
      throw bad('manifest.json', 'an entry without Config and Layers');
    if (!isTexts(item.RepoTags ?? [])) throw bad('manifest.json', 'RepoTags is no list of names');
    return {
      config: item.Config,
      layers: (item.Layers ?? []) as string[],
      tags: ((item.RepoTags ?? []) as string[]).map(referenceIn),
    };
  });
}

export async function tagsByConfig(content: Content, list: Buffer): Promise<Map<string, string[]>> {
  const tags = new Map<string, string[]>();
  for (const item of dockerItems(list)) {
    const config = await content.document(item.config);
    if (config !== undefined) tags.set(digestOf(config), [...item.tags]);
  }
  return tags;
}

export async function fromDockerItem(content: Content, item: DockerItem): Promise<PlannedImage> {
  const configBytes = await content.document(item.config);
  if (configBytes === undefined) throw bad(item.config, 'this config is not in the archive');
  const layers: BlobFile[] = [];
  for (const name of item.layers) {
    const file = await content.file(name);
    if (file === undefined) throw bad(name, 'this layer is not in the archive');
    layers.push(file);
  }
  const config = configOf(configBytes, item.config, layers.length);
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: MediaType.ociManifest,
    config: { mediaType: MediaType.ociConfig, digest: digestOf(configBytes), size: configBytes.length },
    layers: layers.map(({ path, size, digest }) => ({ mediaType: layerType(path), digest, size })),
  };
  const manifestBytes = Buffer.from(JSON.stringify(manifest));
  return {
    config,
    configBytes,
    manifestBytes,
    mediaType: MediaType.ociManifest,
    layers,
    references: item.tags,
  };
}

/** By its first bytes: `docker save` writes plain layers, other tools what they have. */
function layerType(path: string): string {
  const head = Buffer.alloc(8);
  const fd = openSync(path, 'r');
  try {
    readSync(fd, head);
  } finally {
    closeSync(fd);
  }
  const compression = compressionOf(head);
  if (compression === undefined) return MediaType.ociLayer;
  if (compression === 'gzip' || compression === 'zstd') return `${MediaType.ociLayer}+${compression}`;
  throw bad('layer', `a layer compressed with ${compression}`);
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string');
}
