/** The writable part of a container, as the tree verbs of the helper want it named. */
import type { UpperRequest } from '../layer/pack.js';
import type { ContainerRecord } from '../store/containers.js';
import type { EngineContext } from './context.js';

export function writablePart(ctx: EngineContext, record: ContainerRecord): UpperRequest {
  const { upper, stubs } = ctx.paths.container(record.id);
  return { helperPath: ctx.helperPath, upper, stubs, lower: lowerDirs(ctx, record) };
}

/** Topmost first: the engine's own layer, then the image's. */
export function lowerDirs(ctx: EngineContext, record: ContainerRecord): string[] {
  return [ctx.paths.initLayer, ...imageDirs(ctx, record)];
}

/** The image's layers, topmost first. */
export function imageDirs(ctx: EngineContext, record: ContainerRecord): string[] {
  return record.layers.map((key) => ctx.paths.layer(key)).reverse();
}
