/** Step 1 of a run: the image is here, or is brought here, as `--pull` says. */
import {
  hostPlatform,
  isOfPlatform,
  parsePlatform,
  platformText,
  requirePlatform,
} from '../intent/platform.js';
import type { RunIntent } from '../intent/run.js';
import { findLayers } from '../store/layers.js';
import type { RunOptions } from '../types/engine.js';
import type { Platform } from '../types/oci.js';
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
    const { config } = requireImage(ctx.paths, intent.image);
    if (intent.platform !== undefined) requirePlatform(config, wantedPlatform(intent), intent.image);
    return;
  }
  // The package has it for this machine alone.
  const embedded = isOfPlatform(hostPlatform(process.arch), wantedPlatform(intent));
  if (intent.pull === 'missing' && embedded && (await loadEmbedded(ctx, intent.image))) return;
  const { pullImage } = await import('./pull.js');
  await pullImage(ctx, intent.image, {
    platform,
    signal: options.signal,
    onEvent: options.onPull,
  });
}

function wantedPlatform({ platform }: RunIntent): Platform {
  return platform === undefined ? hostPlatform(process.arch) : parsePlatform(platform, process.arch);
}

/** A word about an image that this machine runs only with help, unless it was asked for. */
export function foreignWarnings(config: Platform, { platform }: RunIntent): string[] {
  const host = hostPlatform(process.arch);
  if (platform !== undefined || isOfPlatform(config, host)) return [];
  return [
    `The requested image's platform (${platformText(config)}) does not match the detected host platform ` +
      `(${platformText(host)}) and no specific platform was requested`,
  ];
}

/** Here, unpacked, and of the platform that was asked for: one of another platform counts as missing. */
function isHere(ctx: EngineContext, intent: RunIntent): boolean {
  const image = findImage(ctx.paths, intent.image);
  if (image === undefined) return false;
  if (intent.platform !== undefined && !isOfPlatform(image.config, wantedPlatform(intent))) return false;
  return findLayers(ctx.paths, image.config.rootfs.diff_ids).every((layer) => layer !== undefined);
}
