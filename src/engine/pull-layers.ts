/** The layers of one image on their way into the store: downloads run ahead, unpacking follows from the bottom. */
import { closeSync } from 'node:fs';
import { Readable } from 'node:stream';
import { TsrunError } from '../errors.js';
import type { GrowingFile } from '../layer/apply.js';
import type { RegistryClient } from '../registry/client.js';
import { blobSize } from '../store/blobs.js';
import { IngestFile } from '../store/ingest.js';
import { chainIds, findLayers, type StoredLayer } from '../store/layers.js';
import type { StagingDir } from '../store/staging.js';
import type { LayerStatus, PullEvent, PullOptions } from '../types/engine.js';
import { type ChainId, type DiffId, hexOf } from '../types/ids.js';
import type { Descriptor, ImageConfig } from '../types/oci.js';
import type { ImageContext } from './image-context.js';
import type { RemoteImage } from './pull-manifest.js';
import { unpackLayer } from './unpack.js';

const PARALLEL_DOWNLOADS = 3;
/** Milliseconds between two events about a layer's bytes. */
const PROGRESS_MS = 100;

export class LayerPull {
  private readonly diffIds: readonly DiffId[];
  private readonly chain: readonly ChainId[];
  private readonly layers: readonly Descriptor[];
  private readonly stop = new AbortController();
  private readonly signal: AbortSignal;
  private readonly onEvent?: (event: PullEvent) => void;
  /** Blobs that are being downloaded right now. */
  private readonly arriving = new Map<number, IngestFile>();

  constructor(
    private readonly context: ImageContext,
    private readonly client: RegistryClient,
    private readonly work: StagingDir,
    remote: RemoteImage,
    config: ImageConfig,
    options: PullOptions,
  ) {
    this.diffIds = config.rootfs.diff_ids;
    this.chain = chainIds(this.diffIds);
    this.layers = remote.manifest.layers;
    this.onEvent = options.onEvent;
    this.signal =
      options.signal === undefined ? this.stop.signal : AbortSignal.any([options.signal, this.stop.signal]);
  }

  /** Downloads run ahead; unpacking follows from the bottom, each layer over those that are in place. */
  async run(): Promise<void> {
    const { paths } = this.context.store;
    const present = findLayers(paths, this.diffIds).map((layer, i) => (this.hasBlob(i) ? layer : undefined));
    for (const [i, layer] of present.entries())
      this.tell(i, layer === undefined ? 'Pulling fs layer' : 'Already exists');
    const missing = present.flatMap((layer, i) => (layer === undefined ? [i] : []));
    for (const i of missing.slice(PARALLEL_DOWNLOADS)) this.tell(i, 'Waiting');
    const downloads = startLimited(missing, PARALLEL_DOWNLOADS, (i, begin) => this.download(i, begin));
    try {
      const below: string[] = [];
      for (const [i, layer] of present.entries()) {
        const { dir } = layer ?? (await this.unpack(i, below, downloads.get(i) as Download));
        below.unshift(dir);
      }
    } catch (error) {
      this.stop.abort(error);
      throw this.stop.signal.reason; // the first failure, not what it made of the others
    } finally {
      await Promise.allSettled([...downloads.values()].map(({ done }) => done));
    }
  }

  private hasBlob(i: number): boolean {
    const layer = this.layers[i];
    return layer !== undefined && blobSize(this.context.store.paths, layer.digest) === layer.size;
  }

  /** A blob that cannot be had ends the whole pull at once, whatever is being unpacked. */
  private async download(i: number, begin: () => void): Promise<void> {
    try {
      this.signal.throwIfAborted();
      await this.fetch(i, begin);
    } catch (error) {
      this.stop.abort(error);
      throw error;
    }
  }

  private async fetch(i: number, begin: () => void): Promise<void> {
    const layer = this.layers[i] as Descriptor;
    const { store } = this.context;
    const file = await IngestFile.open(store, layer, this.signal);
    try {
      if (this.hasBlob(i)) return; // another pull was faster
      let told = 0;
      const progress = (current: number) => {
        if (Date.now() - told < PROGRESS_MS && current < layer.size) return;
        told = Date.now();
        this.tell(i, 'Downloading', current, layer.size);
      };
      progress(file.offset);
      this.arriving.set(i, file);
      begin();
      await this.client.blob(layer, counted(file, progress), this.signal);
      this.tell(i, 'Verifying Checksum');
      await file.publish();
      this.tell(i, 'Download complete');
    } finally {
      this.arriving.delete(i);
      await file.close();
    }
  }

  /**
   * Unpacks what is there of a blob while the rest comes. If that fails although the blob arrives in the end (a host that
   * sent other bytes at first), it is done again from the file.
   */
  private async unpack(i: number, below: readonly string[], { begun, done }: Download): Promise<StoredLayer> {
    await begun;
    const file = this.arriving.get(i);
    const { digest, size } = this.layers[i] as Descriptor;
    const extracting = done.then(() => this.tell(i, 'Extracting', 0, size));
    extracting.catch(() => undefined);
    let made: Unpacked | undefined;
    if (file !== undefined) {
      const { fd, news } = file.follow();
      try {
        made = await this.apply(i, below, { fd, news: Readable.from(news) });
      } catch (error) {
        if (!isOfTheBytes(error)) throw error;
      } finally {
        closeSync(fd);
      }
    }
    await extracting;
    made ??= await this.apply(i, below, this.context.store.paths.blob(digest));
    if (made.unpacked) this.tell(i, 'Extracting', size, size);
    this.tell(i, made.unpacked ? 'Pull complete' : 'Already exists');
    return made.layer;
  }

  private apply(i: number, below: readonly string[], input: string | GrowingFile): Promise<Unpacked> {
    const source = {
      input,
      digest: (this.layers[i] as Descriptor).digest,
      diffId: this.diffIds[i] as DiffId,
      chainId: this.chain[i] as ChainId,
      lower: below,
    };
    return unpackLayer(this.context, this.work, source, this.signal);
  }

  private tell(i: number, status: LayerStatus, current?: number, total?: number): void {
    const id = hexOf((this.layers[i] as Descriptor).digest).slice(0, 12);
    this.onEvent?.({ kind: 'layer', id, status, ...(total === undefined ? {} : { current, total }) });
  }
}

function counted(file: IngestFile, progress: (current: number) => void) {
  return {
    get offset() {
      return file.offset;
    },
    async write(chunk: Buffer) {
      await file.write(chunk);
      progress(file.offset);
    },
    restart: () => file.restart(),
    matches: () => file.matches(),
  };
}

/** The stream was not the blob, or ended before it: nothing that says more about the blob itself. */
function isOfTheBytes(error: unknown): boolean {
  return error instanceof TsrunError && ['CONTENT', 'CANCELLED'].includes(error.code);
}

type Unpacked = Awaited<ReturnType<typeof unpackLayer>>;

interface Download {
  /** Settled once it has its turn and its file is open, or it is over. Never fails. */
  readonly begun: Promise<void>;
  readonly done: Promise<void>;
}
/**
 * Starts `job` for each item in order, `limit` at a time; a job calls `begin` when there is something to see of it. A
 * failure is seen by whoever awaits `done`.
 */
function startLimited<T>(
  items: readonly T[],
  limit: number,
  job: (item: T, begin: () => void) => Promise<void>,
): Map<T, Download> {
  const waiting: (() => void)[] = [];
  let free = limit;
  const run = async (item: T, begin: () => void) => {
    if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    else free -= 1;
    try {
      await job(item, begin);
    } finally {
      begin();
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
  return new Map(
    items.map((item) => {
      let begin = () => {};
      const begun = new Promise<void>((resolve) => {
        begin = resolve;
      });
      const done = run(item, begin);
      done.catch(() => undefined);
      return [item, { begun, done }];
    }),
  );
}
