/** tsrun as a library: containers in your own process, with no daemon behind it. */
import { LocalEngine } from './engine/engine.js';
import type { Engine, EngineOptions } from './types/engine.js';

/** An engine on the store at `options.root`. Nothing is read or made before the first verb; no state outside the object. */
export function createEngine(options: EngineOptions = {}): Engine {
  return new LocalEngine(options);
}

export { type ErrorCode, type ErrorDetails, exitCodeOf, TsrunError } from './errors.js';
export type * from './types/engine.js';
export type { ContainerId, Digest, ImageId } from './types/ids.js';
export type { HistoryEntry, ImageRunConfig } from './types/oci.js';
