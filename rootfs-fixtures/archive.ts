/**
 * Image archives made from root directories: one tar that is an OCI layout and a docker archive. Used for the embedded
 * busybox and for the images of the tests; deliberately independent of the engine, so that it can check the engine.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

export interface ArchiveLayer {
  /** A plain tar. */
  path: string;
  compression?: 'none' | 'gzip' | 'zstd';
  createdBy: string;
}

export interface ArchiveImage {
  /** Lowest first. */
  layers: ArchiveLayer[];
  /** `config` of the image config: Cmd, Env, … */
  config: Record<string, unknown>;
  /** "busybox:latest" */
  tag: string;
  /** Canonical form for the OCI index: "docker.io/library/busybox:latest" */
  reference: string;
}

/** RFC 3339; a fixed date keeps the archives reproducible. */
const CREATED = '2026-01-01T00:00:00Z';
const ARCHITECTURES: Record<string, string> = { x64: 'amd64', arm64: 'arm64' };

/** Runs a program; its error output is in the message when it fails. */
export function run(command: string, args: string[], options: { cwd?: string } = {}): string {
  const { status, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    ...options,
  });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: exit ${status}\n${stderr}`);
  return stdout;
}

/** A reproducible tar of `members` of a directory (all of it by default): sorted, owned by root, one mtime. */
export function tarDirectory(dir: string, out: string, members: string[] = ['.']): void {
  run('tar', [
    '--create',
    ...[
      '--file',
      out,
      '--sort=name',
      '--numeric-owner',
      '--owner=0',
      '--group=0',
      '--mtime',
      CREATED,
      '--xattrs',
    ],
    // Without this the pax headers carry access times and the pid of tar.
    '--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime',
    ...['-C', dir, ...members],
  ]);
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function compress(layer: ArchiveLayer): { bytes: Buffer; suffix: string } {
  const bytes = readFileSync(layer.path);
  if (layer.compression === 'gzip') return { bytes: gzipSync(bytes, { level: 6 }), suffix: '+gzip' };
  if (layer.compression === 'zstd') {
    const options = { input: bytes, maxBuffer: 1 << 30 };
    return { bytes: execFileSync('zstd', ['--quiet', '--stdout'], options), suffix: '+zstd' };
  }
  return { bytes, suffix: '' };
}

function blobPath(digest: string): string {
  return `blobs/sha256/${digest.slice('sha256:'.length)}`;
}

/** Writes `image` as one tar to `out`. */
export function writeArchive(image: ArchiveImage, out: string): void {
  const dir = mkdtempSync(join(tmpdir(), 'tsrun-archive-'));
  try {
    mkdirSync(join(dir, 'blobs', 'sha256'), { recursive: true });
    const store = (bytes: Uint8Array, mediaType: string) => {
      const digest = digestOf(bytes);
      writeFileSync(join(dir, blobPath(digest)), bytes);
      return { mediaType, digest, size: bytes.length };
    };
    const json = (value: unknown) => Buffer.from(JSON.stringify(value));
    const layers = image.layers.map((layer) => {
      const { bytes, suffix } = compress(layer);
      return store(bytes, `application/vnd.oci.image.layer.v1.tar${suffix}`);
    });
    const config = store(
      json({
        created: CREATED,
        architecture: ARCHITECTURES[process.arch] ?? process.arch,
        os: 'linux',
        config: image.config,
        rootfs: { type: 'layers', diff_ids: image.layers.map((layer) => digestOf(readFileSync(layer.path))) },
        history: image.layers.map((layer) => ({ created: CREATED, created_by: layer.createdBy })),
      }),
      'application/vnd.oci.image.config.v1+json',
    );
    const mediaType = 'application/vnd.oci.image.manifest.v1+json';
    const manifest = store(json({ schemaVersion: 2, mediaType, config, layers }), mediaType);
    const names = ['org.opencontainers.image.ref.name', 'io.containerd.image.name'];
    const annotations = Object.fromEntries(names.map((name) => [name, image.reference]));
    const documents: Record<string, unknown> = {
      'oci-layout': { imageLayoutVersion: '1.0.0' },
      'index.json': { schemaVersion: 2, manifests: [{ ...manifest, annotations }] },
      'manifest.json': [
        {
          Config: blobPath(config.digest),
          RepoTags: [image.tag],
          Layers: layers.map((layer) => blobPath(layer.digest)),
        },
      ],
    };
    for (const [name, value] of Object.entries(documents)) writeFileSync(join(dir, name), json(value));
    tarDirectory(dir, out, ['oci-layout', 'index.json', 'manifest.json', 'blobs']);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** `path`, or an error that says what to install. */
export function requireFile(path: string, debianPackage: string): string {
  if (!existsSync(path)) throw new Error(`${path} is missing: apt-get install ${debianPackage}`);
  return path;
}
