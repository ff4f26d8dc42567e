/** `push`: layers that the registry lacks, several at a time; then the config, and the manifest under its tag. */
import { createReadStream } from 'node:fs';
import { TsrunError } from '../errors.js';
import {
  DEFAULT_TAG,
  familiar,
  familiarRepository,
  parseReference,
  type Reference,
  repositoryOf,
} from '../intent/reference.js';
import type { RegistryUpload } from '../registry/upload.js';
import { allEntries, imageEntries, readImage, unlessDamaged } from '../store/images.js';
import { writeIndex } from '../store/index-file.js';
import { withStorageLock } from '../store/locks.js';
import { type NamedEntry, splitCanonical } from '../store/references.js';
import { StagingDir } from '../store/staging.js';
import type { PushOptions, PushResult, PushStatus } from '../types/engine.js';
import { type Digest, hexOf } from '../types/ids.js';
import type { Descriptor } from '../types/oci.js';
import { type SendableManifest, sendableManifest } from './compress-layers.js';
import type { ImageContext } from './image-context.js';
import { recordEvent } from './journal.js';
import { collectUnused } from './rmi.js';

const PARALLEL_UPLOADS = 3;
/** Milliseconds between two events about a layer's bytes. */
const PROGRESS_MS = 100;
const CHUNK = 256 * 1024;

/** @throws TsrunError NOT_FOUND for a tag that is not here, REGISTRY_DENIED, REGISTRY, CANCELLED */
export async function pushImage(
  context: ImageContext,
  text: string,
  options: PushOptions = {},
): Promise<PushResult[]> {
  const { signal, onEvent } = options;
  const reference = parseReference(text);
  refuse(reference, options);
  onEvent?.({ kind: 'repository', repository: repositoryOf(reference) });
  const entries = entriesToPush(context, reference, options.allTags === true);
  const { RegistryUpload } = await import('../registry/upload.js');
  const { env, certsDir, extraCaFile } = context;
  const upload = await RegistryUpload.open(reference, { env, certsDir, extraCaFile });
  const work = await StagingDir.create(context.store);
  let compressed = false;
  try {
    const results: PushResult[] = [];
    for (const entry of entries) {
      const sendable = await sendableManifest(context, work, entry, signal);
      compressed ||= sendable.compressed;
      results.push(await new ImagePush(context, work, upload, reference, entry, sendable, options).run());
    }
    return results;
  } catch (error) {
    if (!signal?.aborted) throw denied(error, reference);
    throw new TsrunError('CANCELLED', 'push canceled', { step: 'image.push', subject: text, cause: error });
  } finally {
    await work.discard();
    upload.close();
    // The plain form of a layer has no use any more.
    if (compressed) await collectUnused(context);
  }
}

function refuse(reference: Reference, { allTags }: PushOptions): void {
  const subject = familiar(reference);
  if (reference.digest !== undefined)
    throw new TsrunError('USAGE', 'cannot push a digest reference', { step: 'image.push', subject });
  if (allTags === true && reference.tag !== undefined)
    throw new TsrunError('USAGE', `tag can't be used with --all-tags/-a`, { step: 'image.push', subject });
}

function entriesToPush({ store }: ImageContext, reference: Reference, all: boolean): NamedEntry[] {
  const repository = repositoryOf(reference);
  const own = imageEntries(store.paths).filter((entry) => {
    const split = entry.reference === undefined ? undefined : splitCanonical(entry.reference);
    return split?.tag !== undefined && split.repository === repository;
  });
  const name = familiarRepository(reference);
  if (own.length === 0)
    throw new TsrunError('NOT_FOUND', `An image does not exist locally with the tag: ${name}`, {
      step: 'image.push',
      subject: name,
      hint: `tsrun tag IMAGE ${familiar(reference)}`,
    });
  if (all) return own;
  const tag = reference.tag ?? DEFAULT_TAG;
  const entry = own.find((each) => splitCanonical(each.reference ?? '').tag === tag);
  if (entry !== undefined) return [entry];
  throw new TsrunError('NOT_FOUND', `tag does not exist: ${name}:${tag}`, {
    step: 'image.push',
    subject: `${name}:${tag}`,
  });
}

/** Docker's words for what a registry forbids. */
function denied(error: unknown, reference: Reference): unknown {
  if (!(error instanceof TsrunError) || error.code !== 'REGISTRY_DENIED') return error;
  return new TsrunError('REGISTRY_DENIED', error.message, {
    step: 'image.push',
    subject: familiarRepository(reference),
    hint: `the registry does not let you push to ${familiarRepository(reference)}: log in to it first`,
    cause: error,
  });
}

class ImagePush {
  constructor(
    private readonly context: ImageContext,
    private readonly work: StagingDir,
    private readonly upload: RegistryUpload,
    private readonly reference: Reference,
    private readonly entry: NamedEntry,
    private readonly sendable: SendableManifest,
    private readonly options: PushOptions,
  ) {}

  async run(): Promise<PushResult> {
    const { store } = this.context;
    const { paths } = store;
    const { config } = readImage(paths, this.entry, imageEntries(paths));
    const ids = config.rootfs.diff_ids.map((diffId) => hexOf(diffId).slice(0, 12));
    // Topmost first, as Docker lists them.
    for (const id of ids.toReversed()) this.tell(id, 'Preparing');
    const { signal } = this.options;
    const { digest: manifestDigest, manifest } = this.sendable;
    const { layers, config: own } = manifest;
    await this.work.lease([manifestDigest, own.digest, ...layers.map(({ digest }) => digest)].map(hexOf));
    const jobs = layers.map((layer, i) => ({ layer, id: ids[i] as string })).reverse();
    await inParallel(
      jobs,
      PARALLEL_UPLOADS,
      ({ layer, id }) => this.layer(layer, id),
      ({ id }) => this.tell(id, 'Waiting'),
    );
    if (!(await this.upload.has(own, signal)))
      await this.upload.blob(this.source(own), undefined, () => {}, signal);
    return await this.publish(this.sendable);
  }

  private async publish({ bytes, mediaType, digest }: SendableManifest): Promise<PushResult> {
    const { store } = this.context;
    const { signal, onEvent } = this.options;
    const reference = this.entry.reference as string;
    const tag = splitCanonical(reference).tag as string;
    await this.upload.manifest(tag, bytes, mediaType, signal);
    await withStorageLock(store.paths, store.native, 'exclusive', () =>
      writeIndex(
        store.paths,
        allEntries(store.paths).map((each) =>
          each.reference === reference && each.imageId === this.entry.imageId
            ? { ...each, repoDigest: digest }
            : each,
        ),
      ),
    );
    const name = familiar({ ...this.reference, tag });
    recordEvent(store, {
      type: 'image',
      action: 'push',
      id: name,
      attributes: { name: familiarRepository(this.reference) },
    });
    onEvent?.({ kind: 'pushed', tag, digest, size: bytes.length });
    return { reference, digest };
  }

  private async layer(layer: Descriptor, id: string): Promise<void> {
    const { signal } = this.options;
    signal?.throwIfAborted();
    if (await this.upload.has(layer, signal)) return this.tell(id, 'Layer already exists');
    let told = 0;
    const progress = (current: number) => {
      if (Date.now() - told < PROGRESS_MS && current < layer.size) return;
      told = Date.now();
      this.tell(id, 'Pushing', current, layer.size);
    };
    progress(0);
    const from = this.neighbour(layer.digest);
    const sent = await this.upload.blob(this.source(layer), from, progress, signal);
    this.tell(id, sent ? 'Pushed' : `Mounted from ${from}`);
  }

  /** The path of another repository of this registry that has the blob, as far as we know. */
  private neighbour(digest: Digest): string | undefined {
    const { paths } = this.context.store;
    const entries = imageEntries(paths);
    const own = repositoryOf(this.reference);
    for (const entry of entries) {
      if (entry.reference === undefined || entry.repoDigest === undefined) continue;
      const { repository } = splitCanonical(entry.reference);
      if (repository === own || !repository.startsWith(`${this.reference.domain}/`)) continue;
      const image = unlessDamaged(() => readImage(paths, entry, entries));
      if (image?.manifest.layers.some((layer) => layer.digest === digest))
        return repository.slice(this.reference.domain.length + 1);
    }
    return undefined;
  }

  private source(descriptor: Descriptor) {
    const path = this.context.store.paths.blob(descriptor.digest);
    return {
      descriptor,
      read: (offset: number) => createReadStream(path, { start: offset, highWaterMark: CHUNK }),
    };
  }

  private tell(id: string, status: PushStatus, current?: number, total?: number): void {
    this.options.onEvent?.({ kind: 'layer', id, status, ...(total === undefined ? {} : { current, total }) });
  }
}

/** `job` for each item, `limit` at a time; the first failure ends it, once what runs has ended. */
async function inParallel<T>(
  items: readonly T[],
  limit: number,
  job: (item: T) => Promise<void>,
  waits: (item: T) => void,
): Promise<void> {
  for (const item of items.slice(limit)) waits(item);
  const left = [...items];
  let failed = false;
  const lane = async () => {
    for (let item = left.shift(); item !== undefined && !failed; item = left.shift()) {
      try {
        await job(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: limit }, lane));
  for (const each of lanes) if (each.status === 'rejected') throw each.reason;
}
