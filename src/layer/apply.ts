/** Unpacks a layer's tar into a directory in overlayfs form, by the helper and jailed in that directory. */
import type { Readable } from 'node:stream';
import type { ApplyResult } from '../native/protocol.js';
import { runTreeVerb } from './helper.js';

/** A file to which somebody still appends. */
export interface GrowingFile {
  fd: number;
  /** A byte whenever there may be more in it; ends when all of it is there. If it fails, so does the work. */
  news: Readable;
}

export interface ApplyRequest {
  helperPath: string;
  /** The layer as the registry has it (plain, gzip or zstd, told by its bytes): a stream, an open descriptor, or a file that grows. */
  input: Readable | number | GrowingFile;
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
  const { input } = request;
  const growing = typeof input === 'object' && 'news' in input ? input : undefined;
  return runTreeVerb<ApplyResult>({
    helperPath: request.helperPath,
    verb: 'apply',
    args,
    input: typeof input === 'object' && 'news' in input ? input.news : input,
    descriptor: growing && { option: '--growing', fd: growing.fd },
    signal: request.signal,
    onInput: request.onProgress,
  });
}
