/** Step 1 of a run: the image is here, or is brought here, as `--pull` says. */
import { parsePlatform } from '../intent/platform.js';
import type { RunIntent } from '../intent/run.js';
import { findLayers } from '../store/layers.js';
import type { RunOptions } from '../types/engine.js';
import type { EngineContext } from './context.js';
import { loadEmbedded } from './embedded.js';
import { withPrefix } from './prefix.js';
import { findImage, requireImage } from './resolve-image.js';

/** @throws TsrunError NOT_FOUND "No such image: X" with --pull never; whatever a pull throws. */
export async function ensureImage(
  ctx: EngineContext,
  intent: RunIntent,
  options: Pick<RunOptions, 'onPull' | 'signal'>,
): Promise<void> {
  const { platform } = intent;
  if (platform !== undefined)
    await withPrefix('error parsing specified platform: ', async () => parsePlatform(platform, process.arch));
  if (intent.pull !== 'always' && isHere(ctx, intent)) return;
  if (intent.pull === 'never') {
    requireImage(ctx.paths, intent.image);
    return;
  }
  if (intent.pull === 'missing' && (await loadEmbedded(ctx, intent.image))) return;
  const { pullImage } = await import('./pull.js');
  await pullImage(ctx, intent.image, {
    platform,
    signal: options.signal,
    onEvent: options.onPull,
  });
}

/** Here, unpacked, and of the platform that was asked for: one of another platform counts as missing. */
function isHere(ctx: EngineContext, intent: RunIntent): boolean {
  const image = findImage(ctx.paths, intent.image);
  if (image === undefined) return false;
  if (intent.platform !== undefined) {
    const wanted = parsePlatform(intent.platform, process.arch);
    if (image.config.os !== wanted.os || image.config.architecture !== wanted.architecture) return false;
  }
  return findLayers(ctx.paths, image.config.rootfs.diff_ids).every((layer) => layer !== undefined);
}
