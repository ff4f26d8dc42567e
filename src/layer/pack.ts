/** Reads the writable part of a container: what changed (`diff`), and as the tar of a new layer (`commit`). */
import { Writable } from 'node:stream';
import { TsrunError } from '../errors.js';
import type { ApplyResult, DiffResult, PackResult } from '../native/protocol.js';
import { runTreeVerb } from './helper.js';

export interface UpperRequest {
  helperPath: string;
  /** The overlay's upper directory. */
  upper: string;
  /** The overlay's lower directories, topmost first. Without them nothing counts as unchanged. */
  lower?: string[];
  /** File of NUL-separated absolute paths: mount points of the engine's, left out while they are empty. May be missing. */
  stubs?: string;
  signal?: AbortSignal;
}

/** A volume whose content becomes part of the layer. */
export interface PackVolume {
  /** Where the container has it. */
  path: string;
  /** Where it lies. */
  dir: string;
  /** Below that; all of it if absent. */
  part?: string;
}

export interface PackRequest extends UpperRequest {
  volumes?: readonly PackVolume[];
  /** All that the container sees, not just what it changed: a layer that needs nothing below. */
  whole?: boolean;
  /** Gets the tar and is then ended; a descriptor is only written to. */
  output: Writable | number;
  /** No entry is given a later time: seconds since 1970. */
  clampMtime?: number;
}

export interface TreeChange {
  /** added, changed, deleted */
  kind: 'A' | 'C' | 'D';
  /** Absolute, as bytes: names need not be UTF-8. */
  path: Uint8Array;
}

function upperArgs(request: UpperRequest): string[] {
  const args = ['--upper', request.upper];
  for (const dir of request.lower ?? []) args.push('--lower', dir);
  if (request.stubs !== undefined) args.push('--stubs', request.stubs);
  return args;
}

/** The same tree gives the same bytes. @throws TsrunError; or the output's error. */
export function packLayer(request: PackRequest): Promise<PackResult> {
  return runPack(request, []);
}

/**
 * As {@link packLayer}, and what is packed is applied to the empty directory `target` at the same time.
 * @param onto the layers below it, topmost first
 */
export function packAndUnpack(
  request: PackRequest,
  target: string,
  onto: readonly string[],
): Promise<PackResult & { unpacked: ApplyResult }> {
  return runPack(request, ['--unpack', target, ...onto.flatMap((dir) => ['--onto', dir])]);
}

function runPack<T>(request: PackRequest, more: readonly string[]): Promise<T> {
  const { helperPath, output, signal } = request;
  const args = [...upperArgs(request), ...more];
  if (request.clampMtime !== undefined) args.push('--clamp-mtime', String(request.clampMtime));
  if (request.whole) args.push('--whole', 'yes');
  for (const { path, dir, part } of request.volumes ?? [])
    args.push('--volume', dir, '--at', path, ...(part === undefined ? [] : ['--part', part]));
  return runTreeVerb<T>({ helperPath, verb: 'pack', args, output, signal });
}

/** As `docker diff` lists it, sorted by path. @throws TsrunError */
export async function diffTree(request: UpperRequest): Promise<TreeChange[]> {
  const { helperPath, signal } = request;
  const chunks: Uint8Array[] = [];
  const output = new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  const result = await runTreeVerb<DiffResult>({
    helperPath,
    verb: 'diff',
    args: upperArgs(request),
    output,
    signal,
  });
  const changes = parseChanges(Buffer.concat(chunks));
  if (changes.length !== result.changes) {
    throw new TsrunError('HELPER', 'the list of changes is incomplete', { step: 'helper.diff' });
  }
  return changes;
}

function parseChanges(bytes: Buffer): TreeChange[] {
  const changes: TreeChange[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(0, at);
    const kind = String.fromCharCode(bytes[at] ?? 0);
    if (end < 0 || (kind !== 'A' && kind !== 'C' && kind !== 'D')) {
      throw new TsrunError('HELPER', 'the list of changes is malformed', { step: 'helper.diff' });
    }
    changes.push({ kind, path: bytes.subarray(at + 2, end) });
    at = end + 1;
  }
  return changes;
}
