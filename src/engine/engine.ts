/** The engine: one line per verb. The store is opened, and put right, before each. */
import { resolve } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { loadNative } from '../native/load.js';
import type { Native } from '../native/native.js';
import { DEFAULT_ROOT } from '../store/paths.js';
import type * as Api from '../types/engine.js';
import type { ImageId } from '../types/ids.js';
import { commit } from './commit.js';
import type { EngineContext } from './context.js';
import { create } from './create.js';
import { diff } from './diff.js';
import { imageHistory } from './history.js';
import { inspectImage } from './image-inspect.js';
import { listImages } from './images.js';
import { engineInfo, versionInfo } from './info.js';
import { inspectContainer } from './inspect.js';
import { loadImages } from './load.js';
import { logs } from './logs.js';
import { openContext } from './open.js';
import { ps } from './ps.js';
import { pullImage } from './pull.js';
import { reconcile } from './reconcile.js';
import { remove } from './remove.js';
import { removeImage } from './rmi.js';
import { saveImages } from './save.js';
import { signalContainer } from './signal.js';
import { start } from './start.js';
import { tagImage } from './tag.js';
import { wait } from './wait.js';

export class LocalEngine implements Api.Engine {
  readonly root: string;
  readonly #options: Api.EngineOptions;
  #native: Native | undefined;
  #context: Promise<EngineContext> | undefined;

  constructor(options: Api.EngineOptions) {
    this.#options = options;
    this.root = resolve(options.root ?? DEFAULT_ROOT);
  }

  get terminal(): Api.TerminalControl {
    return this.#loaded();
  }

  async pull(reference: string, options?: Api.PullOptions): Promise<Api.PullResult> {
    return pullImage(await this.#ready(), reference, options);
  }

  async images(options?: Api.ImagesOptions): Promise<Api.ImageSummary[]> {
    return listImages(await this.#ready(), options);
  }

  async inspectImage(reference: string): Promise<Api.ImageInspect> {
    return inspectImage(await this.#ready(), reference);
  }

  async history(reference: string): Promise<Api.HistoryRow[]> {
    return imageHistory(await this.#ready(), reference);
  }

  async tag(source: string, target: string): Promise<void> {
    return tagImage(await this.#ready(), source, target);
  }

  async removeImage(
    reference: string,
    options?: { force?: boolean; noPrune?: boolean },
  ): Promise<Api.RemovedImage[]> {
    return removeImage(await this.#ready(), reference, options);
  }

  async save(references: string[], output: Writable): Promise<void> {
    return saveImages(await this.#ready(), references, output);
  }

  async load(input: Readable | { dir: string }): Promise<Api.LoadedImage[]> {
    return loadImages(await this.#ready(), input);
  }

  async create(options: Api.RunOptions): Promise<Api.Created> {
    return create(await this.#ready(), options);
  }

  async start(container: string, options?: Api.StartOptions): Promise<Api.Attachment | undefined> {
    return start(await this.#ready(), container, options);
  }

  async signal(container: string, signal: number): Promise<void> {
    return signalContainer(await this.#ready(), container, signal);
  }

  async wait(container: string): Promise<number> {
    return wait(await this.#ready(), container);
  }

  async remove(container: string, options?: { force?: boolean; volumes?: boolean }): Promise<void> {
    return remove(await this.#ready(), container, options);
  }

  async ps(options?: Api.PsOptions): Promise<Api.ContainerSummary[]> {
    return ps(await this.#ready(), options);
  }

  async inspectContainer(container: string, options?: { size?: boolean }): Promise<Api.ContainerInspect> {
    return inspectContainer(await this.#ready(), container, options);
  }

  async *logs(container: string, options?: Api.LogsOptions): AsyncGenerator<Api.LogEntry> {
    yield* logs(await this.#ready(), container, options);
  }

  async diff(container: string): Promise<{ kind: Api.ChangeKind; path: Uint8Array }[]> {
    return diff(await this.#ready(), container);
  }

  async commit(container: string, options?: Api.CommitOptions): Promise<ImageId> {
    return commit(await this.#ready(), container, options);
  }

  async info(): Promise<Api.EngineInfo> {
    return engineInfo(await this.#ready());
  }

  version(): Api.VersionInfo {
    return versionInfo();
  }

  #loaded(): Native {
    this.#native ??= loadNative();
    return this.#native;
  }

  /** The store, opened once and reconciled now. A failed opening is tried again by the next verb. */
  async #ready(): Promise<EngineContext> {
    this.#context ??= openContext(this.root, this.#options, () => this.#loaded());
    let context: EngineContext;
    try {
      context = await this.#context;
    } catch (error) {
      this.#context = undefined;
      throw error;
    }
    await reconcile(context);
    return context;
  }
}
