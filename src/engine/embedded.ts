/** The one image that comes with the package: so that the first `run` works without a registry. */
import { createReadStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import { canonical, parseReference, withDefaultTag } from '../intent/reference.js';
import { packageRoot } from '../native/load.js';
import type { ImageContext } from './image-context.js';
import { findEntry } from './resolve-image.js';

const EMBEDDED = 'docker.io/library/busybox:latest';

/** Loads `reference` from the package if that is where it comes from and it is not in the store. True if it was loaded. */
export async function loadEmbedded(context: ImageContext, reference: string): Promise<boolean> {
  if (canonical(withDefaultTag(parseReference(reference))) !== EMBEDDED) return false;
  const archive = join(packageRoot(), 'dist', 'busybox.tar');
  if (findEntry(context.store.paths, EMBEDDED) !== undefined || !existsSync(archive)) return false;
  const { loadImages } = await import('./load.js');
  await loadImages(context, createReadStream(archive));
  return findEntry(context.store.paths, EMBEDDED) !== undefined;
}
