import type { RemoveResult } from '../native/protocol.js';
import { runTreeVerb } from './helper.js';

/** Kept well below the kernel's limit for the arguments of one program. */
const PER_CALL = 200;

/**
 * Removes whole trees by descriptors: no symlink is followed and no mount is entered. Missing ones are fine.
 * @throws TsrunError SYSTEM naming the path that could not be removed
 */
export async function removeTrees(helperPath: string, paths: string[]): Promise<void> {
  for (let at = 0; at < paths.length; at += PER_CALL) {
    await runTreeVerb<RemoveResult>({ helperPath, verb: 'remove', args: paths.slice(at, at + PER_CALL) });
  }
}
