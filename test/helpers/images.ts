/** Images made by hand, byte for byte, so that a test can also make them wrong. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { Header } from 'tar';
import type { ImageConfig } from '../../src/types/oci.js';

export function sha256(bytes: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

export type Entry =
  | { path: string; content: string }
  | { path: string; dir: true; mode?: number; uid?: number }
  | { path: string; link: string };

/** `latin1`: contents are bytes in a string. `symlinks`: links are symbolic ones. */
export function tarOf(entries: readonly Entry[], how: { latin1?: boolean; symlinks?: boolean } = {}): Buffer {
  const parts: Buffer[] = [];
  for (const entry of entries) {
    const body =
      'content' in entry ? Buffer.from(entry.content, how.latin1 ? 'latin1' : 'utf8') : Buffer.alloc(0);
    const header = Buffer.alloc(512);
    new Header({
      path: entry.path,
      type:
        'content' in entry
          ? 'File'
          : 'link' in entry
            ? how.symlinks
              ? 'SymbolicLink'
              : 'Link'
            : 'Directory',
      linkpath: 'link' in entry ? entry.link : undefined,
      mode: 'dir' in entry ? (entry.mode ?? 0o755) : 0o644,
      uid: 'dir' in entry ? (entry.uid ?? 0) : 0,
      gid: 0,
      size: body.length,
      mtime: new Date(1_700_000_000_000),
    }).encode(header);
    parts.push(header, body, Buffer.alloc((512 - (body.length % 512)) % 512));
  }
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

export type Compression = 'none' | 'gzip' | 'zstd';

export interface MadeLayer {
  readonly blob: Buffer;
  readonly digest: string;
  readonly diffId: string;
  readonly mediaType: string;
}

export function layerOf(
  entries: readonly Entry[],
  compression: Compression = 'gzip',
  docker = false,
): MadeLayer {
  const tar = tarOf(entries);
  const blob = compression === 'none' ? tar : compression === 'gzip' ? gzipSync(tar) : zstd(tar);
  const suffix = compression === 'none' ? '' : `${docker ? '.' : '+'}${compression}`;
  const base = docker
    ? 'application/vnd.docker.image.rootfs.diff.tar'
    : 'application/vnd.oci.image.layer.v1.tar';
  return { blob, digest: sha256(blob), diffId: sha256(tar), mediaType: base + suffix };
}

function zstd(bytes: Buffer): Buffer {
  return spawnSync('zstd', ['-q', '-c'], { input: bytes, maxBuffer: 1 << 28 }).stdout;
}

export interface MadeImage {
  readonly config: Buffer;
  readonly manifest: Buffer;
  readonly mediaType: string;
  readonly id: string;
  readonly digest: string;
  readonly layers: readonly MadeLayer[];
}

export interface ImageSettings {
  docker?: boolean;
  config?: Partial<ImageConfig>;
  /** Changes the manifest before it is serialized. */
  edit?: (manifest: Record<string, unknown>) => void;
}

export function imageOf(layers: readonly MadeLayer[], settings: ImageSettings = {}): MadeImage {
  const { docker = false } = settings;
  const config = Buffer.from(
    JSON.stringify({
      created: '2026-01-02T03:04:05Z',
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      config: { Cmd: ['sh'] },
      rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
      history: layers.map((_, i) => ({ created: '2026-01-02T03:04:05Z', created_by: `step ${i}` })),
      ...settings.config,
    }),
  );
  const mediaType = docker
    ? 'application/vnd.docker.distribution.manifest.v2+json'
    : 'application/vnd.oci.image.manifest.v1+json';
  const document: Record<string, unknown> = {
    schemaVersion: 2,
    mediaType,
    config: {
      mediaType: docker
        ? 'application/vnd.docker.container.image.v1+json'
        : 'application/vnd.oci.image.config.v1+json',
      digest: sha256(config),
      size: config.length,
    },
    layers: layers.map(({ mediaType: type, digest, blob }) => ({
      mediaType: type,
      digest,
      size: blob.length,
    })),
  };
  settings.edit?.(document);
  const manifest = Buffer.from(JSON.stringify(document));
  return { config, manifest, mediaType, id: sha256(config), digest: sha256(manifest), layers };
}

export interface MadeIndex {
  readonly bytes: Buffer;
  readonly mediaType: string;
  readonly digest: string;
}

export function indexOf(entries: { image: MadeImage; platform: object; annotations?: object }[]): MadeIndex {
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  const manifests = entries.map(({ image, platform, annotations }) => ({
    mediaType: image.mediaType,
    digest: image.digest,
    size: image.manifest.length,
    platform,
    annotations,
  }));
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests }));
  return { bytes, mediaType, digest: sha256(bytes) };
}

/** Puts an image into a registry, its bytes as they are. */
export async function pushImage(
  host: string,
  repository: string,
  tag: string,
  image: MadeImage,
): Promise<void> {
  for (const { blob } of image.layers) await pushBlob(host, repository, blob);
  await pushBlob(host, repository, image.config);
  await pushManifest(host, repository, tag, image.manifest, image.mediaType);
}

export async function pushManifest(
  host: string,
  repository: string,
  tag: string,
  bytes: Buffer,
  mediaType: string,
) {
  const response = await fetch(`http://${host}/v2/${repository}/manifests/${tag}`, {
    method: 'PUT',
    headers: { 'content-type': mediaType },
    body: new Uint8Array(bytes),
  });
  if (response.status !== 201) throw new Error(`push of ${tag}: ${response.status} ${await response.text()}`);
}

async function pushBlob(host: string, repository: string, blob: Buffer): Promise<void> {
  const started = await fetch(`http://${host}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
  const location = new URL(started.headers.get('location') ?? '', `http://${host}`);
  location.searchParams.set('digest', sha256(blob));
  const response = await fetch(location, { method: 'PUT', body: new Uint8Array(blob) });
  if (response.status !== 201) throw new Error(`push of a blob: ${response.status} ${await response.text()}`);
}
