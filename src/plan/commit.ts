/** The image that a commit makes: the base's config and history, the container's Config, one more layer. */
import type { CommitOptions } from '../types/engine.js';
import type { DiffId } from '../types/ids.js';
import type { HistoryEntry, ImageConfig, ImageRunConfig } from '../types/oci.js';
import { applyChanges } from './changes.js';
import type { ContainerConfig } from './config.js';

export interface CommitInput {
  base: ImageConfig;
  /** Program and arguments of the container. */
  argv: readonly string[];
  config: ContainerConfig;
  /** Of the new layer; undefined where nothing has changed: then there is none. */
  diffId: DiffId | undefined;
  /** RFC 3339 */
  created: string;
  options: Pick<CommitOptions, 'author' | 'message' | 'changes' | 'squash'>;
}

/** @throws TsrunError USAGE for a change that is none. */
export function planCommit(input: CommitInput): ImageConfig {
  const { base, diffId, created, options } = input;
  const entry: HistoryEntry = {
    created,
    ...(options.author ? { author: options.author } : {}),
    created_by: input.argv.join(' '),
    ...(options.message ? { comment: options.message } : {}),
    ...(diffId === undefined ? { empty_layer: true } : {}),
  };
  return {
    architecture: base.architecture,
    os: base.os,
    ...(base.variant ? { variant: base.variant } : {}),
    ...(base['os.version'] ? { 'os.version': base['os.version'] } : {}),
    created,
    ...(options.author ? { author: options.author } : {}),
    config: applyChanges(imagePart(input.config), options.changes ?? []),
    rootfs: {
      type: 'layers',
      diff_ids: [...(options.squash ? [] : base.rootfs.diff_ids), ...(diffId === undefined ? [] : [diffId])],
    },
    history: [...(options.squash ? withoutLayers(base) : alignedHistory(base)), entry],
  };
}

/** Without what belongs to the one run: host name, attached streams, terminal, the name of the image. */
function imagePart(config: ContainerConfig): ImageRunConfig {
  return {
    ...(config.User ? { User: config.User } : {}),
    ...(config.ExposedPorts ? { ExposedPorts: config.ExposedPorts } : {}),
    ...(config.Env && config.Env.length > 0 ? { Env: config.Env } : {}),
    ...(config.Entrypoint ? { Entrypoint: config.Entrypoint } : {}),
    ...(config.Cmd ? { Cmd: config.Cmd } : {}),
    ...(config.Healthcheck ? { Healthcheck: config.Healthcheck } : {}),
    ...(Object.keys(config.Volumes ?? {}).length > 0 ? { Volumes: config.Volumes } : {}),
    ...(config.WorkingDir ? { WorkingDir: config.WorkingDir } : {}),
    ...(Object.keys(config.Labels ?? {}).length > 0 ? { Labels: config.Labels } : {}),
    ...(config.StopSignal ? { StopSignal: config.StopSignal } : {}),
    ...(config.Shell ? { Shell: config.Shell } : {}),
  };
}

/** What made the base is still told, but its steps have no layers of their own any more. */
function withoutLayers({ history = [] }: ImageConfig): HistoryEntry[] {
  return history.map((entry) => ({ ...entry, empty_layer: true }));
}

/** An image without a history gets a bare entry per layer, so that layers and history stay aligned. */
function alignedHistory(base: ImageConfig): HistoryEntry[] {
  const history = base.history ?? [];
  const layers = history.filter((entry) => entry.empty_layer !== true).length;
  const missing = base.rootfs.diff_ids.length - layers;
  const bare: HistoryEntry = base.created === undefined ? {} : { created: base.created };
  return [...Array.from({ length: Math.max(0, missing) }, () => bare), ...history];
}
