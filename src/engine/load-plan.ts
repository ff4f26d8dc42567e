/** What an archive or a layout holds, read from its documents. Content is only looked up, by name or digest. */
import { TsrunError } from '../errors.js';
import { hostPlatform } from '../intent/platform.js';
import { digestOf } from '../store/blobs.js';
import { assertImage, isIndexType, isManifestType, MediaType, parseDocument } from '../types/documents.js';
import { type Digest, hexOf } from '../types/ids.js';
import type { Descriptor } from '../types/oci.js';
import { type BlobFile, bad, type Content, configOf, type PlannedImage, referenceIn } from './load-common.js';
import { dockerItems, fromDockerItem, tagsByConfig } from './load-docker.js';

const MAX_NESTING = 4;

/** @throws TsrunError FORMAT or CONTENT; nothing has been stored then */
export async function planLoad(content: Content): Promise<PlannedImage[]> {
  const index = await content.document('index.json');
  const list = await content.document('manifest.json');
  if (index !== undefined && (await content.document('oci-layout')) !== undefined)
    return await fromLayout(
      content,
      index,
      list === undefined ? new Map() : await tagsByConfig(content, list),
    );
  if (list !== undefined)
    return await Promise.all(dockerItems(list).map((item) => fromDockerItem(content, item)));
  if ((await content.document('repositories')) !== undefined)
    throw bad(
      'manifest.json',
      'the archive was written by Docker before 1.10: load and save it with a newer one first',
    );
  throw bad('archive', 'neither index.json of an OCI layout nor manifest.json of a docker archive is in it');
}

async function fromLayout(
  content: Content,
  bytes: Buffer,
  tags: Map<string, string[]>,
): Promise<PlannedImage[]> {
  const images = new Map<Digest, PlannedImage>();
  for (const entry of topDescriptors(bytes)) {
    const manifest = await manifestBelow(content, entry, 0);
    if (manifest === undefined) continue;
    const known = images.get(manifest.digest);
    const image = known ?? (await fromManifest(content, manifest));
    const names = [...image.references, ...namesOf(entry), ...(tags.get(digestOf(image.configBytes)) ?? [])];
    images.set(manifest.digest, { ...image, references: [...new Set(names)] });
  }
  if (images.size === 0) throw bad('index.json', 'there is no image for this machine in it');
  return [...images.values()];
}

function topDescriptors(bytes: Buffer): Descriptor[] {
  const document = parseDocument(bytes, MediaType.ociIndex, 'index.json');
  if (document.kind !== 'index') throw bad('index.json', 'it is no index');
  return document.index.manifests;
}

/**
 * The image manifest that a descriptor leads to. Of an index, the one for this machine's architecture, if the archive
 * has it; archives of one platform list the others without their content.
 */
async function manifestBelow(
  content: Content,
  entry: Descriptor,
  depth: number,
): Promise<Descriptor | undefined> {
  if (isManifestType(entry.mediaType)) return entry;
  if (!isIndexType(entry.mediaType) || depth >= MAX_NESTING) return undefined;
  const document = parseDocument(await verified(content, entry), entry.mediaType, entry.digest);
  if (document.kind !== 'index') return undefined;
  const here: Descriptor[] = [];
  for (const child of document.index.manifests)
    if ((await content.document(blobName(child.digest))) !== undefined) here.push(child);
  const { architecture } = hostPlatform(process.arch);
  const own = here.filter(({ platform }) => platform === undefined || platform.architecture === architecture);
  for (const child of own.length > 0 ? own : here.filter(({ platform }) => platform?.os === 'linux')) {
    const found = await manifestBelow(content, child, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function fromManifest(content: Content, entry: Descriptor): Promise<PlannedImage> {
  const manifestBytes = await verified(content, entry);
  const document = parseDocument(manifestBytes, entry.mediaType, entry.digest);
  if (document.kind !== 'manifest') throw bad(entry.digest, 'it is no manifest');
  const { manifest } = document;
  assertImage(manifest, entry.digest);
  const configBytes = await verified(content, manifest.config);
  const layers: BlobFile[] = [];
  for (const layer of manifest.layers) {
    const file = await content.file(blobName(layer.digest));
    if (file === undefined) throw bad(layer.digest, 'this layer is not in the archive');
    if (file.size !== layer.size || file.digest !== layer.digest) throw mismatch(layer);
    layers.push(file);
  }
  const config = configOf(configBytes, manifest.config.digest, layers.length);
  return { config, configBytes, manifestBytes, mediaType: entry.mediaType, layers, references: [] };
}

/**
 * Full names only: many tools put a bare tag into ref.name, which says nothing about the repository.
 */
function namesOf({ annotations = {} }: Descriptor): string[] {
  const name = annotations['io.containerd.image.name'] ?? annotations['org.opencontainers.image.ref.name'];
  return name === undefined || !/[/:@]/.test(name) ? [] : [referenceIn(name)];
}

async function verified(content: Content, { digest, size }: Descriptor): Promise<Buffer> {
  const bytes = await content.document(blobName(digest));
  if (bytes === undefined) throw bad(digest, 'this document is not in the archive');
  if (bytes.length !== size || digestOf(bytes) !== digest) throw mismatch({ digest, size });
  return bytes;
}

function blobName(digest: Digest): string {
  return `blobs/sha256/${hexOf(digest)}`;
}

function mismatch({ digest, size }: Pick<Descriptor, 'digest' | 'size'>): TsrunError {
  return new TsrunError(
    'CONTENT',
    `${digest}: the bytes in the archive are not the ${size} that its name promises`,
    {
      step: 'image.load',
      subject: digest,
    },
  );
}
