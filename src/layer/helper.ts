/** Runs the tree verbs of the helper, and others that answer as they do: bytes in on fd 0, bytes out on fd 1, the result as the last line on fd 2. */
import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { TsrunError } from '../errors.js';
import type { FailureRecord } from '../native/launch.js';
import { ENGINE_VERB, type HelperResult } from '../native/protocol.js';

export interface TreeVerb {
  /** Absolute path of `tsrun-runtime`. */
  helperPath: string;
  verb:
    | 'apply'
    | 'pack'
    | 'compress'
    | 'diff'
    | 'list'
    | 'remove'
    | 'copy-stat'
    | 'copy-out'
    | 'copy-in'
    | 'update';
  args: string[];
  /** A stream, or an open descriptor that the helper reads itself; nothing if absent. */
  input?: Readable | number;
  /** Ended when all is written; a descriptor is only written to. */
  output?: Writable | number;
  /** Kills the helper; the verb then fails with CANCELLED. */
  signal?: AbortSignal;
  /** Bytes of a stream handed over so far. */
  onInput?: (bytes: number) => void;
  /** One more open descriptor for the helper, which is told its number by the option. */
  descriptor?: { option: '--lock' | '--growing'; fd: number };
  /** What the helper says before the first byte of an archive; nothing is read from `input` until then. */
  onReady?: (what: unknown) => void;
  /** A failure of the helper's as an error, in place of the words for layers. */
  failure?: (failure: FailureRecord) => TsrunError;
}

/** The helper's number of that descriptor. */
const MORE_FD = 3;

/** Room for the result line and for what a sanitizer or the C library may say before it. */
const MAX_TAIL = 256 * 1024;

/**
 * The verb's result object.
 * @throws TsrunError: CONTENT for hostile or broken bytes, SYSTEM with errno (ENOSPC, …), HOST, HELPER, CANCELLED; or
 * whatever error `input` or `output` ended with.
 */
export async function runTreeVerb<T>(request: TreeVerb): Promise<T> {
  const { signal } = request;
  if (signal?.aborted) throw cancelled(request);
  const { option, fd } = request.descriptor ?? {};
  const more = option === undefined ? [] : [option, String(MORE_FD)];
  const child = spawn(request.helperPath, [ENGINE_VERB, request.verb, ...request.args, ...more], {
    env: {},
    stdio: [stdioOf(request.input), stdioOf(request.output), 'pipe', ...(fd === undefined ? [] : [fd])],
  });
  const kill = () => void child.kill('SIGKILL');
  signal?.addEventListener('abort', kill, { once: true });
  try {
    const tail = collectTail(child.stderr);
    // It may fail before anything is read from it.
    if (typeof request.input === 'object') request.input.on('error', () => {});
    const ready = request.onReady ? watchForReady(child.stderr, request.onReady) : Promise.resolve(true);
    const fed = ready.then((isReady) => (isReady ? feed(child, request) : {}));
    const streams = await Promise.all([ended(child), fed, drain(child, request)]);
    if (signal?.aborted) throw cancelled(request);
    return judge<T>(request, streams, tail());
  } finally {
    signal?.removeEventListener('abort', kill);
  }
}

interface Exit {
  spawnError?: Error;
  code: number | null;
  signal: string | null;
}

/** How a stream ended; `source` is true if the fault lies in the caller's stream and not in the helper's end of it. */
interface StreamEnd {
  error?: unknown;
  source?: boolean;
}

function stdioOf(end: Readable | Writable | number | undefined): 'ignore' | 'pipe' | number {
  if (end === undefined) return 'ignore';
  return typeof end === 'number' ? end : 'pipe';
}

function ended(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => {
    child.once('error', (spawnError) => resolve({ spawnError, code: null, signal: null }));
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
}

async function feed(child: ChildProcess, { input, onInput }: TreeVerb): Promise<StreamEnd> {
  const { stdin } = child;
  if (input === undefined || typeof input === 'number' || stdin === null) return {};
  if (input.errored) {
    child.kill('SIGKILL');
    return { error: input.errored, source: true };
  }
  const counted = async function* (chunks: AsyncIterable<Uint8Array>) {
    let total = 0;
    for await (const chunk of chunks) {
      total += chunk.length;
      onInput?.(total);
      yield chunk;
    }
  };
  const end: StreamEnd = {};
  const failed = () => {
    if (stdin.destroyed) return; // the helper is gone, and the pipeline passes that on to the input
    end.source = true;
    child.kill('SIGKILL'); // half a stream must never look like a whole one
  };
  input.once('error', failed);
  try {
    await (onInput ? pipeline(input, counted, stdin) : pipeline(input, stdin));
  } catch (error) {
    end.error = error;
  } finally {
    input.off('error', failed);
  }
  return end;
}

async function drain(child: ChildProcess, { output }: TreeVerb): Promise<StreamEnd> {
  const { stdout } = child;
  if (output === undefined || typeof output === 'number' || stdout === null) return {};
  const end: StreamEnd = {};
  const failed = () => {
    if (stdout.destroyed) return;
    end.source = true;
    child.kill('SIGKILL');
  };
  output.once('error', failed);
  try {
    await pipeline(stdout, output);
  } catch (error) {
    end.error = error;
  } finally {
    output.off('error', failed);
  }
  return end;
}

function collectTail(stderr: Readable | null): () => string {
  let tail = Buffer.alloc(0);
  stderr?.on('data', (chunk: Buffer) => {
    tail = Buffer.concat([tail, chunk]).subarray(-MAX_TAIL);
  });
  return () => tail.toString('utf8');
}

/** Resolves when the helper has said that it is ready, or with false when it says nothing more. */
function watchForReady(stderr: Readable | null, onReady: (what: unknown) => void): Promise<boolean> {
  return new Promise((resolve) => {
    let text = '';
    stderr?.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
        const value = parseLine(text.slice(0, end));
        text = text.slice(end + 1);
        if (value === undefined || !('ready' in value)) continue;
        onReady(value.ready);
        resolve(true);
      }
    });
    stderr?.once('close', () => resolve(false));
  });
}

/** Which of several ends is the cause: the caller's streams first, then what the helper said, then how it died. */
function judge<T>(request: TreeVerb, [exit, ...streams]: [Exit, StreamEnd, StreamEnd], tail: string): T {
  if (exit.spawnError) {
    throw new TsrunError('HOST', `cannot start ${request.helperPath}: ${exit.spawnError.message}`, {
      step: `helper.${request.verb}`,
      subject: request.helperPath,
      cause: exit.spawnError,
    });
  }
  const source = streams.find((end) => end.source);
  if (source) throw source.error;
  const result = parseResult<T>(tail);
  if (result && 'fail' in result)
    throw request.failure?.(result.fail) ?? treeError(request.verb, result.fail);
  const broken = streams.find((end) => end.error !== undefined);
  if (result && exit.code === 0 && broken) throw broken.error;
  if (result && exit.code === 0) return result.ok;
  const how = exit.signal === null ? `exit code ${exit.code}` : `signal ${exit.signal}`;
  throw new TsrunError('HELPER', `the helper ended without a result (${how}): ${request.verb}`, {
    step: `helper.${request.verb}`,
  });
}

function parseResult<T>(tail: string): HelperResult<T> | undefined {
  const value = parseLine(tail.trimEnd().split('\n').at(-1) ?? '');
  return value !== undefined && ('ok' in value || 'fail' in value) ? (value as HelperResult<T>) : undefined;
}

function parseLine(line: string): object | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined; // whatever ended the helper wrote there
  }
}

function cancelled(request: TreeVerb): TsrunError {
  return new TsrunError('CANCELLED', 'context canceled', { step: `helper.${request.verb}` });
}

/** What went wrong in Docker's words, up to the cause. */
const TITLES: Record<TreeVerb['verb'], string> = {
  apply: 'failed to register layer',
  pack: "cannot read the container's changes",
  compress: 'cannot compress the layer',
  diff: "cannot read the container's changes",
  list: 'cannot read the layers',
  remove: 'unable to remove filesystem',
  'copy-stat': 'cannot look at the path',
  'copy-out': 'cannot copy',
  'copy-in': 'cannot copy',
  update: 'failed to write',
};

/** errnos that an archive provokes by what it says; all others are the machine's. */
const PROVOKED = new Set([
  'ENAMETOOLONG',
  'ENOTDIR',
  'EISDIR',
  'EEXIST',
  'EINVAL',
  'ELOOP',
  'ENOENT',
  'EPERM',
  'EMLINK',
  'ERANGE',
  'E2BIG',
  'EFBIG',
]);

const ERRNO_NAMES = new Map(Object.entries(constants.errno).map(([name, value]) => [value, name]));

function treeError(verb: TreeVerb['verb'], failure: FailureRecord): TsrunError {
  const errno = failure.errno === 0 ? undefined : ERRNO_NAMES.get(failure.errno);
  const cause = failure.detail || errno || 'failed';
  const message = `${TITLES[verb]}: ${failure.subject}: ${cause}`;
  return new TsrunError(codeOf(failure, errno), message, {
    step: failure.step,
    errno,
    subject: failure.subject,
    hint: hintOf(failure, errno),
  });
}

function codeOf(
  { step }: FailureRecord,
  errno: string | undefined,
): 'CONTENT' | 'SYSTEM' | 'HOST' | 'HELPER' {
  if (step === 'layer.tar' || step === 'layer.inflate') return 'CONTENT';
  if (step === 'layer.entry') return errno === undefined || PROVOKED.has(errno) ? 'CONTENT' : 'SYSTEM';
  if (step === 'layer.jail') return 'HOST';
  return errno === undefined ? 'HELPER' : 'SYSTEM';
}

function hintOf({ step }: FailureRecord, errno: string | undefined): string | undefined {
  if (errno === 'ENOSPC' || errno === 'EDQUOT')
    return 'free space on the disk that holds the store, then try again';
  if (step === 'layer.jail' && errno === 'EPERM') return 'unpacking layers needs root';
  return undefined;
}
