/** `import`: a tar of a root file system becomes the one layer of an image. */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { TsrunError } from '../errors.js';
import { parseChanges } from '../intent/change.js';
import { hostPlatform, parsePlatform } from '../intent/platform.js';
import { familiar, parseReference } from '../intent/reference.js';
import { archiveError, plainTar } from '../layer/archive-reader.js';
import { planImport } from '../plan/import.js';
import { digestOfHash } from '../store/blobs.js';
import { StagingDir } from '../store/staging.js';
import type { ImportOptions } from '../types/engine.js';
import { type DiffId, type ImageId, parseDiffId } from '../types/ids.js';
import type { Platform } from '../types/oci.js';
import { creationTime } from './clock.js';
import type { ImageContext } from './image-context.js';
import { addLayerFromTar, publishImage } from './import-layer.js';
import { recordEvent } from './journal.js';
import { collectUnused } from './rmi.js';
import { newReference } from './tag.js';

/** @see Engine.import */
export async function importImage(
  context: ImageContext,
  source: Readable | { url: string },
  options: ImportOptions = {},
): Promise<ImageId> {
  const { store } = context;
  const reference = newReference(options.repository);
  const changes = options.changes ?? [];
  parseChanges(changes);
  const platform = wantedPlatform(options.platform);
  const created = creationTime(options.timestamp);
  const message = options.message || `Imported from ${'url' in source ? source.url : '-'}`;
  const work = await StagingDir.create(store);
  let done = false;
  try {
    const tar = join(work.dir, 'layer.tar');
    const diffId = await spool(context, source, tar, options);
    const descriptor = await addLayerFromTar(context, work, tar, diffId, [], []);
    const config = planImport({ platform, diffId, created, message, changes });
    const id = await publishImage(context, work, { config, layers: [descriptor], reference });
    done = true;
    const name = reference === undefined ? id : familiar(parseReference(reference));
    recordEvent(store, { type: 'image', action: 'import', id, attributes: { name } });
    return id;
  } catch (cause) {
    if (!options.signal?.aborted) throw cause;
    throw new TsrunError('CANCELLED', 'import canceled', { step: 'image.import', cause });
  } finally {
    await work.discard();
    // A layer that was in place before the failure came: nothing leases it any more.
    if (!done) await collectUnused(context);
  }
}

function wantedPlatform(text: string | undefined): Platform {
  if (text === undefined || text === '') return hostPlatform(process.arch);
  const platform = parsePlatform(text, process.arch);
  if (platform.os === 'linux') return platform;
  throw new TsrunError('USAGE', 'operating system is not supported', {
    step: 'image.import',
    subject: text,
  });
}

/** The archive, decompressed, in a file. */
async function spool(
  context: ImageContext,
  source: Readable | { url: string },
  path: string,
  { signal, onDownload }: ImportOptions,
): Promise<DiffId> {
  if (!('url' in source)) return await writeHashed(await plainTar(source), path, signal);
  const { openDownload } = await import('../registry/download.js');
  const download = await openDownload(urlOf(source.url), context, signal);
  try {
    onDownload?.(source.url, download.size);
    return await writeHashed(await plainTar(Readable.from(download.body)), path, signal);
  } finally {
    download.close();
  }
}

function urlOf(text: string): URL {
  try {
    const url = new URL(text);
    if (url.protocol === 'http:' || url.protocol === 'https:') return url;
  } catch {
    // told below
  }
  throw new TsrunError('USAGE', `${text}: not a URL of http or https`, {
    step: 'image.import',
    subject: text,
  });
}

/** A broken archive is told as that, and not in the words of zlib or of the program that decompresses it. */
async function* contentOf(input: Readable): AsyncGenerator<Buffer> {
  try {
    yield* input as AsyncIterable<Buffer>;
  } catch (error) {
    throw archiveError(error);
  }
}

async function writeHashed(input: Readable, path: string, signal?: AbortSignal): Promise<DiffId> {
  const hash = createHash('sha256');
  const file = await open(path, 'wx', 0o600);
  try {
    for await (const chunk of contentOf(input)) {
      signal?.throwIfAborted();
      hash.update(chunk);
      await file.writeFile(chunk);
    }
  } finally {
    input.destroy();
    await file.close();
  }
  return parseDiffId(digestOfHash(hash));
}
