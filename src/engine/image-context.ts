/** What the image verbs work with: one value, made by the engine, passed down. */
import type { ImageUser } from '../plan/remove-image.js';
import type { Store } from '../store/staging.js';
import type { TraceEvent } from '../types/engine.js';

/** What is enough to talk to a registry. */
export interface RegistryContext {
  /** Folder of <host:port>/hosts.toml. */
  readonly certsDir: string;
  /** PEM file of more CAs for registry connections. */
  readonly extraCaFile?: string;
  /** Consulted for DOCKER_CONFIG, HOME, HTTPS_PROXY, NO_PROXY, … */
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface ImageContext extends RegistryContext {
  readonly store: Store;
  /** Absolute path of tsrun-runtime. */
  readonly helperPath: string;
  /** Every container with its image. Called under the exclusive storage lock: it must not take that lock. */
  readonly users: () => Promise<ImageUser[]>;
  /** Lower directories (or layer keys) of every container. Called under the exclusive storage lock. */
  readonly usedLayers: () => Promise<Set<string>>;
  readonly onTrace?: (event: TraceEvent) => void;
}
