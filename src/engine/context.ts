/** What every verb of the engine works with. Made once by createEngine; there is no state beside it. */
import type { Store } from '../store/staging.js';
import type { ImageContext } from './image-context.js';

export interface EngineContext extends Store, ImageContext {
  /** 6 hex of this store: part of every kernel object's name. */
  readonly storeTag: string;
}

/** The environment that a helper gets: it needs only a PATH, to find nft. */
export const HELPER_ENV: readonly string[] = [
  'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
];
