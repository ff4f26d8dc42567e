/**
 * The engine: one call per verb. The store is opened, and put right, before each. A verb's code is loaded when it is used:
 * `ps` must not wait for the registry client.
 */
import { resolve } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { loadNative } from '../native/load.js';
import type { Native } from '../native/native.js';
import { DEFAULT_ROOT } from '../store/paths.js';
import type * as Api from '../types/engine.js';
import type { ImageId } from '../types/ids.js';
import type { EngineContext } from './context.js';
import { engineInfo, versionInfo } from './info.js';
import { openContext, registryContext } from './open.js';
import { reconcile } from './reconcile.js';

export class LocalEngine implements Api.Engine {
  readonly root: string;
  readonly #options: Api.EngineOptions;
  #native: Native | undefined;
  #context: Promise<EngineContext> | undefined;
  #reconciling: Promise<void> | undefined;

  constructor(options: Api.EngineOptions) {
    this.#options = options;
    this.root = resolve(options.root ?? DEFAULT_ROOT);
  }

  get terminal(): Api.TerminalControl {
    return this.#loaded();
  }

  async pull(reference: string, options?: Api.PullOptions): Promise<Api.PullResult> {
    const { pullImage } = await import('./pull.js');
    return pullImage(await this.#ready(), reference, options);
  }

  async pullAll(repository: string, options?: Api.PullOptions): Promise<Api.PullResult[]> {
    const { pullAllTags } = await import('./pull-all.js');
    return pullAllTags(await this.#ready(), repository, options);
  }

  async push(reference: string, options?: Api.PushOptions): Promise<Api.PushResult[]> {
    const { pushImage } = await import('./push.js');
    return pushImage(await this.#ready(), reference, options);
  }

  async images(options?: Api.ImagesOptions): Promise<Api.ImageSummary[]> {
    const { listImages } = await import('./images.js');
    return listImages(await this.#ready(), options);
  }

  async inspectImage(reference: string): Promise<Api.ImageInspect> {
    const { inspectImage } = await import('./image-inspect.js');
    return inspectImage(await this.#ready(), reference);
  }

  async history(reference: string): Promise<Api.HistoryRow[]> {
    const { imageHistory } = await import('./history.js');
    return imageHistory(await this.#ready(), reference);
  }

  async exploreImage(reference: string, options?: { signal?: AbortSignal }): Promise<Api.ImageExploration> {
    const { exploreImage } = await import('./explore.js');
    return exploreImage(await this.#ready(), reference, options);
  }

  async imageTree(reference: string): Promise<Api.ImageTree> {
    const { imageTree } = await import('./image-tree.js');
    return imageTree(await this.#ready(), reference);
  }

  async inspectManifest(
    reference: string,
    options?: { details?: boolean; signal?: AbortSignal },
  ): Promise<Api.ManifestInspect> {
    const { inspectManifest } = await import('./manifest-inspect.js');
    return inspectManifest(registryContext(this.#options), reference, options);
  }

  async untag(image: string, names?: string[]): Promise<string[]> {
    const { untagImage } = await import('./untag.js');
    return untagImage(await this.#ready(), image, names);
  }

  async tag(source: string, target: string): Promise<void> {
    const { tagImage } = await import('./tag.js');
    return tagImage(await this.#ready(), source, target);
  }

  async removeImage(
    reference: string,
    options?: { force?: boolean; noPrune?: boolean },
  ): Promise<Api.RemovedImage[]> {
    const { removeImage } = await import('./rmi.js');
    return removeImage(await this.#ready(), reference, options);
  }

  async save(references: string[], output: Writable): Promise<void> {
    const { saveImages } = await import('./save.js');
    return saveImages(await this.#ready(), references, output);
  }

  async load(input: Readable | { dir: string }): Promise<Api.LoadedImage[]> {
    const { loadImages } = await import('./load.js');
    return loadImages(await this.#ready(), input);
  }

  async import(source: Readable | { url: string }, options?: Api.ImportOptions): Promise<ImageId> {
    const { importImage } = await import('./import.js');
    return importImage(await this.#ready(), source, options);
  }

  async login(options: Api.LoginOptions): Promise<Api.LoginResult> {
    const { login } = await import('./login.js');
    return login(registryContext(this.#options), options);
  }

  async logout(registry?: string): Promise<Api.LogoutResult> {
    const { logout } = await import('./login.js');
    return logout(registryContext(this.#options), registry);
  }

  async create(options: Api.RunOptions): Promise<Api.Created> {
    const { create } = await import('./create.js');
    return create(await this.#ready(), options);
  }

  async start(container: string, options?: Api.StartOptions): Promise<Api.Attachment | undefined> {
    const { start } = await import('./start.js');
    return start(await this.#ready(), container, options);
  }

  async exec(container: string, options: Api.ExecOptions): Promise<Api.Attachment | undefined> {
    const { exec } = await import('./exec.js');
    return exec(await this.#ready(), container, options);
  }

  async execute(
    container: string,
    command: string[] | Omit<Api.ExecOptions, 'attach'>,
    input?: string | Uint8Array,
  ): Promise<Api.ExecResult> {
    const { execute } = await import('./exec.js');
    const options = Array.isArray(command) ? { command } : command;
    return execute(await this.#ready(), container, options, input);
  }

  async stop(container: string, options?: Api.StopOptions): Promise<void> {
    const { stop } = await import('./stop.js');
    return stop(await this.#ready(), container, options);
  }

  async restart(container: string, options?: Api.StopOptions): Promise<void> {
    const { restart } = await import('./stop.js');
    return restart(await this.#ready(), container, options);
  }

  async pause(container: string): Promise<void> {
    const { pause } = await import('./stop.js');
    return pause(await this.#ready(), container);
  }

  async unpause(container: string): Promise<void> {
    const { unpause } = await import('./stop.js');
    return unpause(await this.#ready(), container);
  }

  async attach(container: string, options?: { stdin?: boolean }): Promise<Api.Attachment> {
    const { attach } = await import('./attach-container.js');
    return attach(await this.#ready(), container, options);
  }

  async rename(container: string, name: string): Promise<void> {
    const { rename } = await import('./rename.js');
    return rename(await this.#ready(), container, name);
  }

  async update(container: string, options: Api.UpdateOptions): Promise<{ warnings: string[] }> {
    const { update } = await import('./update.js');
    return update(await this.#ready(), container, options);
  }

  async healthcheck(container: string): Promise<boolean> {
    const { runHealthcheck } = await import('./healthcheck.js');
    return runHealthcheck(await this.#ready(), container);
  }

  async top(container: string, psArgs?: readonly string[]): Promise<Api.ContainerTop> {
    const { top } = await import('./top.js');
    return top(await this.#ready(), container, psArgs);
  }

  async signal(container: string, signal: number): Promise<void> {
    const { signalContainer } = await import('./signal.js');
    return signalContainer(await this.#ready(), container, signal);
  }

  async wait(container: string): Promise<number> {
    const { wait } = await import('./wait.js');
    return wait(await this.#ready(), container);
  }

  async remove(container: string, options?: { force?: boolean; volumes?: boolean }): Promise<void> {
    const { remove } = await import('./remove.js');
    return remove(await this.#ready(), container, options);
  }

  async ps(options?: Api.PsOptions): Promise<Api.ContainerSummary[]> {
    const { ps } = await import('./ps.js');
    return ps(await this.#ready(), options);
  }

  async inspectContainer(container: string, options?: { size?: boolean }): Promise<Api.ContainerInspect> {
    const { inspectContainer } = await import('./inspect.js');
    return inspectContainer(await this.#ready(), container, options);
  }

  async *logs(container: string, options?: Api.LogsOptions): AsyncGenerator<Api.LogEntry> {
    const { logs } = await import('./logs.js');
    yield* logs(await this.#ready(), container, options);
  }

  async diff(container: string): Promise<{ kind: Api.ChangeKind; path: Uint8Array }[]> {
    const { diff } = await import('./diff.js');
    return diff(await this.#ready(), container);
  }

  async commit(container: string, options?: Api.CommitOptions): Promise<ImageId> {
    const { commit } = await import('./commit.js');
    return commit(await this.#ready(), container, options);
  }

  async statPath(container: string, path: string): Promise<Api.PathStat> {
    const { statPath } = await import('./archive.js');
    return statPath(await this.#ready(), container, path);
  }

  async copyFrom(container: string, path: string): Promise<Api.ContainerArchive> {
    const { copyFrom } = await import('./archive.js');
    return copyFrom(await this.#ready(), container, path);
  }

  async copyTo(
    container: string,
    path: string,
    archive: Readable,
    options?: Api.CopyToOptions,
  ): Promise<void> {
    const { copyTo } = await import('./archive.js');
    return copyTo(await this.#ready(), container, path, archive, options);
  }

  async copyOut(
    container: string,
    path: string,
    local: string,
    options?: Api.CopyOptions,
  ): Promise<Api.CopyResult> {
    const { copyOut } = await import('./copy.js');
    return copyOut(await this.#ready(), container, path, local, options);
  }

  async copyIn(
    local: string,
    container: string,
    path: string,
    options?: Api.CopyOptions,
  ): Promise<Api.CopyResult> {
    const { copyIn } = await import('./copy.js');
    return copyIn(await this.#ready(), local, container, path, options);
  }

  async export(container: string, output: Writable, options?: { signal?: AbortSignal }): Promise<void> {
    const { exportContainer } = await import('./export.js');
    return exportContainer(await this.#ready(), container, output, options);
  }

  readonly volumes: Api.VolumesApi = {
    create: async (options) => (await import('./volumes.js')).createVolume(await this.#ready(), options),
    list: async ({ filters } = {}) =>
      (await import('./volumes.js')).listAllVolumes(await this.#ready(), filters),
    inspect: async (name) => (await import('./volumes.js')).inspectVolume(await this.#ready(), name),
    remove: async (name, options) =>
      (await import('./volumes.js')).removeVolumeByName(await this.#ready(), name, options),
    prune: async (options) => (await import('./volumes.js')).pruneVolumes(await this.#ready(), options),
  };

  async diskUsage(): Promise<Api.DiskUsage> {
    return (await import('./disk-usage.js')).diskUsage(await this.#ready());
  }

  async pruneContainers(options?: { filters?: Record<string, string[]> }): Promise<Api.PruneResult> {
    return (await import('./prune.js')).pruneContainers(await this.#ready(), options?.filters);
  }

  async pruneImages(options?: {
    all?: boolean;
    filters?: Record<string, string[]>;
  }): Promise<{ removed: Api.RemovedImage[]; reclaimed: number }> {
    return (await import('./prune.js')).pruneImages(await this.#ready(), options);
  }

  async check(options?: Api.CheckOptions): Promise<Api.StoreCheck> {
    const { checkStore } = await import('./check.js');
    return checkStore(await this.#opened(), options);
  }

  async boot(): Promise<Api.BootResult[]> {
    const { boot } = await import('./boot.js');
    return boot(await this.#ready());
  }

  async stats(containers?: string[], options?: Api.StatsOptions): Promise<Api.ContainerStats[]> {
    const { stats } = await import('./stats.js');
    return stats(await this.#ready(), containers, options);
  }

  async *events(options?: Api.EventsOptions): AsyncGenerator<Api.EngineEvent> {
    const { events } = await import('./events.js');
    yield* events(await this.#ready(), options);
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

  /** The store, opened once. A failed opening is tried again by the next verb. */
  async #opened(): Promise<EngineContext> {
    this.#context ??= openContext(this.root, this.#options, () => this.#loaded());
    try {
      return await this.#context;
    } catch (error) {
      this.#context = undefined;
      throw error;
    }
  }

  /** The store, reconciled now. */
  async #ready(): Promise<EngineContext> {
    const context = await this.#opened();
    // Verbs that begin together share one look at the store: `rm` of a thousand must not look a million times.
    this.#reconciling ??= reconcile(context).finally(() => {
      this.#reconciling = undefined;
    });
    await this.#reconciling;
    return context;
  }
}
