/** The image that an import makes: one layer, and what the user says about it. */
import type { DiffId } from '../types/ids.js';
import type { ImageConfig, Platform } from '../types/oci.js';
import { applyChanges } from './changes.js';

export interface ImportPlan {
  platform: Platform;
  diffId: DiffId;
  /** RFC 3339 */
  created: string;
  message: string;
  changes: readonly string[];
}

/** @throws TsrunError USAGE for a change that is none. */
export function planImport({ platform, diffId, created, message, changes }: ImportPlan): ImageConfig {
  const { architecture, os, variant } = platform;
  return {
    architecture,
    os,
    ...(variant ? { variant } : {}),
    created,
    config: applyChanges({}, changes),
    rootfs: { type: 'layers', diff_ids: [diffId] },
    history: [{ created, comment: message }],
  };
}
