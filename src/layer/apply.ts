/** Unpacks a layer's tar into a directory in overlayfs form, by the helper and jailed in that directory. */
import type { Readable } from 'node:stream';
import type { ApplyResult } from '../native/protocol.js';
import { runTreeVerb } from './helper.js';

export interface ApplyRequest {
  helperPath: string;
  /** The layer as the registry has it (plain, gzip or zstd, told by its bytes): a stream or an open descriptor. */
  input: Readable | number;
  /** An empty directory. After a failure, or `standalone: false` without `lower`, its content is worthless. */
  target: string;
  /**
   * Unpacked directories of the layers below, topmost first; `[]` = it is the first layer of its image. Without it they
   * are not known: if the result is `standalone`, the directory is right above any layers; if not, only the digests are
   * right, and the layer has to be applied again, into an emptied directory, with `lower`. With `lower` the directory is
   * right for just these layers unless `standalone` is true: also of a first layer, since parents that the tar does not
   * name would hide the attributes of those in other layers below.
   */
  lower?: string[];
  signal?: AbortSignal;
  /** Compressed bytes taken from a stream so far; not called for a descriptor. */
  onProgress?: (bytes: number) => void;
}

/**
 * Nothing is synced: call syncfs before the directory is published. The caller compares digests and size.
 * @throws TsrunError CONTENT (a broken or hostile archive), SYSTEM with errno (ENOSPC, …), CANCELLED; or the input's error.
 */
export function applyLayer(request: ApplyRequest): Promise<ApplyResult> {
  const args = ['--target', request.target];
  for (const dir of request.lower ?? []) args.push('--lower', dir);
  if (request.lower?.length === 0) args.push('--base', 'yes');
  return runTreeVerb<ApplyResult>({
    helperPath: request.helperPath,
    verb: 'apply',
    args,
    input: request.input,
    signal: request.signal,
    onInput: request.onProgress,
  });
}
