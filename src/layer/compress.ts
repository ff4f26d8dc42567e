/** gzip of a layer tar, by the helper, on all cores. */
import type { Writable } from 'node:stream';
import type { CompressResult } from '../native/protocol.js';
import { runTreeVerb } from './helper.js';

export interface CompressRequest {
  helperPath: string;
  /** The tar: an open descriptor. */
  input: number;
  /** Gets the gzip stream; a descriptor is only written to, a stream is then ended. */
  output: Writable | number;
  /** libdeflate's: 1 (fast) to 12 (small). Default 6. */
  level?: number;
  signal?: AbortSignal;
}

/** The same tar gives the same bytes, whatever the number of cores. @throws TsrunError; or the output's error */
export function compressLayer(request: CompressRequest): Promise<CompressResult> {
  const { helperPath, input, output, level, signal } = request;
  const args = level === undefined ? [] : ['--level', String(level)];
  return runTreeVerb<CompressResult>({ helperPath, verb: 'compress', args, input, output, signal });
}
