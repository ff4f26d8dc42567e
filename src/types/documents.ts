/** Manifests, indexes and image configs, read from bytes that a stranger wrote: shape checked, nothing guessed. */
import { TsrunError } from '../errors.js';
import { type DiffId, parseDiffId, parseDigest } from './ids.js';
import type { Descriptor, HistoryEntry, ImageConfig, Index, Manifest, Platform } from './oci.js';

export const MediaType = {
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerSchema1: 'application/vnd.docker.distribution.manifest.v1+json',
  dockerSchema1Signed: 'application/vnd.docker.distribution.manifest.v1+prettyjws',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar',
  ociLayerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
} as const;

const INDEX_TYPES: readonly string[] = [MediaType.ociIndex, MediaType.dockerList];
const MANIFEST_TYPES: readonly string[] = [MediaType.ociManifest, MediaType.dockerManifest];
const CONFIG_TYPES: readonly string[] = [MediaType.ociConfig, MediaType.dockerConfig];
/** Docker's and OCI's layers, with any compression, also those marked as not to be redistributed. */
const LAYER_TYPE =
  /^application\/vnd\.(?:oci\.image\.layer\.(?:nondistributable\.)?v1\.tar|docker\.image\.rootfs\.(?:diff|foreign\.diff)\.tar)(?:[.+](?:gzip|zstd))?$/;
const MAX_DESCRIPTORS = 10_000;

export function isIndexType(mediaType: string): boolean {
  return INDEX_TYPES.includes(mediaType);
}

export function isManifestType(mediaType: string): boolean {
  return MANIFEST_TYPES.includes(mediaType);
}

export type Document = { kind: 'index'; index: Index } | { kind: 'manifest'; manifest: Manifest };

/**
 * A manifest or an index. `mediaType` is what the descriptor or the Content-Type header said; the document's own field
 * must not contradict it, and a document that could be read as both is refused (CVE-2021-41190).
 */
export function parseDocument(bytes: Uint8Array, mediaType: string | undefined, subject: string): Document {
  const json = parseObject(bytes, 'manifest', subject);
  if (json.schemaVersion === 1 || mediaType?.startsWith(MediaType.dockerSchema1.slice(0, -5)))
    throw malformed(
      subject,
      'manifest schema 1 is not supported: the image must be pushed again by a current tool',
    );
  if (json.schemaVersion !== 2) throw malformed(subject, 'unknown manifest schema version');
  const inside = typeof json.mediaType === 'string' ? json.mediaType : undefined;
  if (inside !== undefined && isKnown(mediaType) && inside !== mediaType)
    throw malformed(subject, `manifest says it is ${inside} but was served as ${mediaType}`);
  const hasManifests = json.manifests !== undefined;
  const hasLayers = json.layers !== undefined || json.config !== undefined;
  if (hasManifests && hasLayers) throw malformed(subject, 'a document with both "manifests" and "layers"');
  const declared = inside ?? (isKnown(mediaType) ? mediaType : undefined);
  if (hasManifests && (declared === undefined || isIndexType(declared)))
    return {
      kind: 'index',
      index: { schemaVersion: 2, mediaType: declared, manifests: descriptors(json.manifests, subject) },
    };
  if (hasLayers && (declared === undefined || isManifestType(declared)))
    return { kind: 'manifest', manifest: manifestOf(json, declared, subject) };
  throw malformed(subject, `unexpected manifest type ${declared ?? mediaType ?? 'none'}`);
}

function isKnown(mediaType: string | undefined): mediaType is string {
  return mediaType !== undefined && (isIndexType(mediaType) || isManifestType(mediaType));
}

function manifestOf(json: Record<string, unknown>, mediaType: string | undefined, subject: string): Manifest {
  return {
    schemaVersion: 2,
    mediaType,
    artifactType: typeof json.artifactType === 'string' ? json.artifactType : undefined,
    config: descriptor(json.config, subject),
    layers: descriptors(json.layers, subject),
    annotations: strings(json.annotations),
  };
}

/** Docker's and OCI's names of one format: the OCI one. Docker's config is a valid OCI config as it stands. */
export function ociType(mediaType: string): string {
  if (mediaType === MediaType.dockerManifest) return MediaType.ociManifest;
  if (mediaType === MediaType.dockerConfig) return MediaType.ociConfig;
  const [, foreign, compression] =
    /^application\/vnd\.docker\.image\.rootfs\.(foreign\.)?diff\.tar(?:\.(gzip|zstd))?$/.exec(mediaType) ??
    [];
  if (!mediaType.startsWith('application/vnd.docker.image.rootfs.')) return mediaType;
  const base =
    foreign === undefined ? MediaType.ociLayer : 'application/vnd.oci.image.layer.nondistributable.v1.tar';
  return compression === undefined ? base : `${base}+${compression}`;
}

/** The same image under OCI's media types. */
export function toOciManifest({ config, layers, annotations }: Manifest): Manifest {
  return {
    schemaVersion: 2,
    mediaType: MediaType.ociManifest,
    config: { ...config, mediaType: ociType(config.mediaType) },
    layers: layers.map((layer) => ({ ...layer, mediaType: ociType(layer.mediaType) })),
    ...(annotations === undefined ? {} : { annotations }),
  };
}

/** @throws TsrunError FORMAT if the manifest is an artifact, not a container image. */
export function assertImage(manifest: Manifest, subject: string): void {
  if (!CONFIG_TYPES.includes(manifest.config.mediaType))
    throw malformed(
      subject,
      `not a container image: its config is ${manifest.artifactType ?? manifest.config.mediaType}`,
    );
  for (const layer of manifest.layers)
    if (!LAYER_TYPE.test(layer.mediaType)) throw malformed(subject, `unknown layer type ${layer.mediaType}`);
}

export function parseImageConfig(bytes: Uint8Array, subject: string): ImageConfig {
  const json = parseObject(bytes, 'image config', subject);
  const rootfs = json.rootfs;
  if (!isObject(rootfs) || !Array.isArray(rootfs.diff_ids))
    throw malformed(subject, 'image config without rootfs.diff_ids');
  const diffIds: DiffId[] = rootfs.diff_ids.map((id) => parseDiffId(String(id)));
  if (typeof json.architecture !== 'string' || typeof json.os !== 'string')
    throw malformed(subject, 'image config without architecture and os');
  if (json.config !== undefined && json.config !== null && !isObject(json.config))
    throw malformed(subject, 'image config whose "config" is not an object');
  if (json.history !== undefined && json.history !== null && !Array.isArray(json.history))
    throw malformed(subject, 'image config whose "history" is not a list');
  return {
    ...json,
    created: textIn(json, 'created'),
    author: textIn(json, 'author'),
    variant: textIn(json, 'variant'),
    'os.version': textIn(json, 'os.version'),
    architecture: json.architecture,
    os: json.os,
    config: runConfig(json.config, subject),
    history: Array.isArray(json.history)
      ? json.history.map((step) => historyEntry(step, subject))
      : undefined,
    rootfs: { type: 'layers', diff_ids: diffIds },
  };
}

function historyEntry(value: unknown, subject: string): HistoryEntry {
  if (!isObject(value)) throw malformed(subject, 'image config with a history entry that is not an object');
  const entry: HistoryEntry = {};
  for (const key of ['created', 'created_by', 'author', 'comment'] as const) entry[key] = textIn(value, key);
  if (value.empty_layer === true) entry.empty_layer = true;
  return entry;
}

function textIn(value: Record<string, unknown>, key: string): string | undefined {
  const text = value[key];
  return typeof text === 'string' ? text : undefined;
}

/** The parts of `config` that reach argv, the environment and paths must have the types that they claim. */
function runConfig(value: unknown, subject: string): ImageConfig['config'] {
  if (!isObject(value)) return undefined;
  for (const key of ['Env', 'Entrypoint', 'Cmd', 'Shell', 'OnBuild'])
    if (value[key] !== undefined && value[key] !== null && !isStrings(value[key]))
      throw malformed(subject, `image config: ${key} is not a list of strings`);
  for (const key of ['User', 'WorkingDir', 'StopSignal'])
    if (value[key] !== undefined && value[key] !== null && typeof value[key] !== 'string')
      throw malformed(subject, `image config: ${key} is not a string`);
  for (const key of ['ExposedPorts', 'Volumes', 'Labels', 'Healthcheck'])
    if (value[key] !== undefined && value[key] !== null && !isObject(value[key]))
      throw malformed(subject, `image config: ${key} is not an object`);
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== null));
}

function descriptors(value: unknown, subject: string): Descriptor[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw malformed(subject, 'a list of descriptors is not a list');
  if (value.length > MAX_DESCRIPTORS) throw malformed(subject, `more than ${MAX_DESCRIPTORS} descriptors`);
  return value.map((entry) => descriptor(entry, subject));
}

export function descriptor(value: unknown, subject: string): Descriptor {
  if (!isObject(value) || typeof value.mediaType !== 'string' || typeof value.digest !== 'string')
    throw malformed(subject, 'a descriptor without media type or digest');
  const size = value.size;
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
    throw malformed(subject, `a descriptor with size ${JSON.stringify(size)}`);
  return {
    mediaType: value.mediaType,
    digest: parseDigest(value.digest),
    size,
    ...(isStrings(value.urls) ? { urls: value.urls } : {}),
    ...(isObject(value.annotations) ? { annotations: strings(value.annotations) } : {}),
    ...(isObject(value.platform) ? { platform: platform(value.platform) } : {}),
    ...(typeof value.artifactType === 'string' ? { artifactType: value.artifactType } : {}),
  };
}

function platform(value: Record<string, unknown>): Platform {
  return {
    architecture: textIn(value, 'architecture') ?? 'unknown',
    os: textIn(value, 'os') ?? 'unknown',
    variant: textIn(value, 'variant'),
    'os.version': textIn(value, 'os.version'),
  };
}

function strings(value: unknown): Record<string, string> | undefined {
  if (!isObject(value)) return undefined;
  const pairs = Object.entries(value).filter((pair): pair is [string, string] => typeof pair[1] === 'string');
  return Object.fromEntries(pairs);
}

export function parseObject(bytes: Uint8Array, what: string, subject: string): Record<string, unknown> {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
  } catch (error) {
    throw malformed(subject, `${what} is not valid JSON`, error);
  }
  if (!isObject(json)) throw malformed(subject, `${what} is not a JSON object`);
  return json;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string');
}

function malformed(subject: string, message: string, cause?: unknown): TsrunError {
  return new TsrunError('FORMAT', `${subject}: ${message}`, { step: 'image.manifest', subject, cause });
}
