/** `manifest inspect`: what a registry has under a name, without pulling it. */
import { TsrunError } from '../errors.js';
import { familiar, parseReference, type Reference, withDefaultTag } from '../intent/reference.js';
import type { FetchedManifest, RegistryClient } from '../registry/client.js';
import { MediaType, parseDocument, parseImageConfig } from '../types/documents.js';
import type { ManifestInspect, RemoteManifest } from '../types/engine.js';
import type { Manifest, Platform } from '../types/oci.js';
import type { RegistryContext } from './image-context.js';
import { fetchConfig } from './pull-manifest.js';

export interface ManifestOptions {
  details?: boolean;
  signal?: AbortSignal;
}

/** @see Engine.inspectManifest */
export async function inspectManifest(
  context: RegistryContext,
  text: string,
  options: ManifestOptions = {},
): Promise<ManifestInspect> {
  const reference = withDefaultTag(parseReference(text));
  const { RegistryClient } = await import('../registry/client.js');
  const client = await RegistryClient.open(reference, context);
  try {
    return await look(client, reference, options);
  } catch (cause) {
    if (options.signal?.aborted)
      throw new TsrunError('CANCELLED', 'canceled', { step: 'manifest.inspect', cause });
    if (!(cause instanceof TsrunError) || cause.code !== 'NOT_FOUND') throw cause;
    throw new TsrunError('NOT_FOUND', `no such manifest: ${familiar(reference)}`, {
      step: 'manifest.inspect',
      subject: familiar(reference),
      cause,
    });
  } finally {
    client.close();
  }
}

async function look(
  client: RegistryClient,
  reference: Reference,
  { details, signal }: ManifestOptions,
): Promise<ManifestInspect> {
  const name = familiar(reference);
  const fetched = await client.manifest(reference.digest ?? reference.tag ?? '', signal);
  const document = parseDocument(fetched.bytes, fetched.mediaType, name);
  const isIndex = document.kind === 'index';
  if (!details) return { bytes: fetched.bytes, isIndex, manifests: [] };
  if (document.kind === 'manifest') {
    const platform = await platformOf(client, document.manifest, name, signal);
    return { bytes: fetched.bytes, isIndex, manifests: [remote(name, fetched, document.manifest, platform)] };
  }
  const manifests: RemoteManifest[] = [];
  for (const { digest, platform } of document.index.manifests) {
    const child = await client.manifest(digest, signal);
    const inner = parseDocument(child.bytes, child.mediaType, digest);
    manifests.push(
      remote(`${name}@${digest}`, child, inner.kind === 'manifest' ? inner.manifest : {}, platform),
    );
  }
  return { bytes: fetched.bytes, isIndex, manifests };
}

function remote(
  reference: string,
  { bytes, digest, mediaType }: FetchedManifest,
  manifest: Pick<Manifest, 'mediaType'>,
  platform: Platform | undefined,
): RemoteManifest {
  const type = manifest.mediaType ?? mediaType ?? MediaType.ociManifest;
  return { reference, descriptor: { mediaType: type, digest, size: bytes.length, platform }, bytes };
}

/** Of an image; what is none (an artifact) has no platform. */
async function platformOf(
  client: RegistryClient,
  manifest: Manifest,
  subject: string,
  signal?: AbortSignal,
): Promise<Platform | undefined> {
  const { mediaType } = manifest.config;
  if (mediaType !== MediaType.ociConfig && mediaType !== MediaType.dockerConfig) return undefined;
  const config = parseImageConfig(await fetchConfig(client, { manifest }, signal), subject);
  const { architecture, os, variant } = config;
  return { architecture, os, ...(variant ? { variant } : {}) };
}
