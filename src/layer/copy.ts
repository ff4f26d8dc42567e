/** The copy verbs of the helper: files of a container, or of this machine, out of a tree and into one, as tars. */
import type { Readable, Writable } from 'node:stream';
import type { TsrunError } from '../errors.js';
import type { FailureRecord } from '../native/launch.js';
import type { CopyInResult, CopyOutResult, CopyStat } from '../native/protocol.js';
import { runTreeVerb } from './helper.js';

/** Whose files: a container's, whose operation byte `lock` holds, or those below a directory of this machine. */
export type CopyTree =
  /** `rootfs`: only the root, and stubs where something is mounted. */
  { container: string; lock: number; view?: 'files' | 'rootfs' } | { root: string };

interface CopyRequest {
  helperPath: string;
  tree: CopyTree;
  /** Absolute and clean; `/` or `/.` at the end asks for the directory behind a link. */
  path: string;
  failure: (failure: FailureRecord) => TsrunError;
  signal?: AbortSignal;
}

export interface CopyOutRequest extends CopyRequest {
  /** What the archive calls it; without a name it is the root of the archive. */
  name?: string;
  /** Gets the tar and is then ended. */
  output: Writable;
  /** Before the first byte of the tar. */
  onFound?: (stat: CopyStat) => void;
}

export interface CopyInRequest extends CopyRequest {
  input: Readable;
  /** What messages call the target. */
  shown?: string;
  /** Entries must be at or below `from` (clean, '' = any), and are called `to` instead. */
  rename?: { from: string; to: string };
  /** `caller`: what is new belongs to us, and has no set-uid bits, file capabilities or usable devices. [archive] */
  ownership?: 'archive' | 'caller';
  /** A directory is not replaced by something else, nor the other way round. */
  keepKinds?: boolean;
  /** The archive may be compressed. */
  compressed?: boolean;
  /** Bytes of the archive so far. */
  onProgress?: (bytes: number) => void;
}

/** @throws TsrunError */
export function copyStat(request: CopyRequest): Promise<CopyStat> {
  return runTreeVerb<CopyStat>({ ...common(request), verb: 'copy-stat', args: place(request) });
}

/** @throws TsrunError; or the output's error */
export function copyOut(request: CopyOutRequest): Promise<CopyOutResult> {
  const { name, output, onFound } = request;
  const args = [...place(request), ...option('--name', name)];
  const onReady = (what: unknown) => onFound?.(what as CopyStat);
  return runTreeVerb<CopyOutResult>({ ...common(request), verb: 'copy-out', args, output, onReady });
}

/** @throws TsrunError; or the input's error */
export function copyIn(request: CopyInRequest): Promise<CopyInResult> {
  const { input, shown, rename, ownership, keepKinds, compressed, onProgress } = request;
  const args = [
    ...place(request),
    ...option('--shown', shown),
    ...option('--base', rename?.from),
    ...option('--new-base', rename?.to),
    ...option('--ownership', ownership),
    ...option('--keep-kinds', keepKinds ? 'yes' : undefined),
    ...option('--compressed', compressed ? 'yes' : undefined),
  ];
  const onReady = () => {};
  return runTreeVerb<CopyInResult>({
    ...common(request),
    verb: 'copy-in',
    args,
    input,
    onReady,
    onInput: onProgress,
  });
}

function common({ helperPath, tree, failure, signal }: CopyRequest) {
  const descriptor = 'container' in tree ? { option: '--lock' as const, fd: tree.lock } : undefined;
  return { helperPath, failure, signal, descriptor };
}

function place({ tree, path }: CopyRequest): string[] {
  if ('root' in tree) return ['--root', tree.root, '--path', path];
  return ['--dir', tree.container, ...option('--view', tree.view), '--path', path];
}

function option(name: string, value: string | undefined): string[] {
  return value === undefined ? [] : [name, value];
}
