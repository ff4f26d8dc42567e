/** Files of a container as tars, whether it runs or not: what `cp`, `export` and the Engine API's archive calls stand on. */
import { PassThrough, type Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { TsrunError } from '../errors.js';
import { type CopyTree, copyIn, copyOut, copyStat } from '../layer/copy.js';
import type { FailureRecord } from '../native/launch.js';
import type { CopyOutResult, CopyStat } from '../native/protocol.js';
import { archiveName, containerPath } from '../plan/copy.js';
import type { ContainerRecord } from '../store/containers.js';
import type { ContainerArchive, CopyToOptions, PathStat } from '../types/engine.js';
import type { EngineContext } from './context.js';
import { copyFailure, hasEndedMeanwhile } from './copy-failure.js';
import { recordContainerEvent } from './journal.js';
import { withContainerLock } from './lock.js';
import { isAlive } from './monitor.js';
import { refreshNameFiles } from './name-files.js';
import { resolveContainer } from './resolve.js';
import { ensureSources } from './start.js';
import { viewContainer } from './view.js';

/** @see Engine.statPath */
export async function statPath(ctx: EngineContext, text: string, path: string): Promise<PathStat> {
  const record = resolveContainer(ctx.paths, text);
  const stat = await onFiles(ctx, record, text, (tree) =>
    copyStat({ helperPath: ctx.helperPath, tree, path: containerPath(path), failure: wording(text, path) }),
  );
  return pathStat(path, stat);
}

/** @see Engine.copyFrom */
export async function copyFrom(ctx: EngineContext, text: string, path: string): Promise<ContainerArchive> {
  const record = resolveContainer(ctx.paths, text);
  const archive = await openArchive(ctx, record, text, { path, name: archiveName(path) });
  recordContainerEvent(ctx, record, 'archive-path');
  return archive;
}

/** The root of a container without what is mounted in it; its entries have no leading slash and no root of their own. */
export function openRootfs(
  ctx: EngineContext,
  record: ContainerRecord,
  text: string,
): Promise<ContainerArchive> {
  return openArchive(ctx, record, text, { path: '/', view: 'rootfs' });
}

/** @see Engine.copyTo */
export async function copyTo(
  ctx: EngineContext,
  text: string,
  path: string,
  archive: Readable,
  options: CopyToOptions = {},
): Promise<void> {
  const record = resolveContainer(ctx.paths, text);
  await onFiles(ctx, record, text, (tree) =>
    copyIn({
      helperPath: ctx.helperPath,
      tree,
      path: containerPath(path),
      shown: containerPath(path),
      input: archive,
      keepKinds: options.noOverwriteDirNonDir,
      compressed: true,
      failure: wording(text, path),
      signal: options.signal,
      onProgress: options.onProgress,
    }),
  );
  recordContainerEvent(ctx, record, 'extract-to-dir');
}

/** How long a container that has just ended may take to be done with that. */
const SETTLE_MS = 10_000;

/**
 * Runs `work` on the container's files as the only operation on it. A container that ends just then is looked at again
 * when it has ended: until the helper is ready it has taken nothing from a stream.
 */
async function onFiles<T>(
  ctx: EngineContext,
  record: ContainerRecord,
  text: string,
  work: (tree: CopyTree) => Promise<T>,
  view?: 'files' | 'rootfs',
): Promise<T> {
  const { dir } = ctx.paths.container(record.id);
  const deadline = performance.now() + SETTLE_MS;
  for (;;) {
    try {
      return await withContainerLock(ctx, record.id, async (lock) => {
        if (viewContainer(ctx, record).state === 'restarting') throw restarting(text);
        if (!isAlive(ctx, record.id)) {
          await ensureSources(ctx, record);
          refreshNameFiles(ctx, record);
        }
        return work({ container: dir, lock, view });
      });
    } catch (error) {
      if (!hasEndedMeanwhile(error) || performance.now() > deadline) throw error;
      await delay(10);
    }
  }
}

/** Its monitor may mount its file system at any moment: two mounts of one writable part must not be. */
function restarting(container: string): TsrunError {
  return new TsrunError(
    'CONFLICT',
    `Container ${container} is restarting, wait until the container is running`,
    {
      step: 'copy.path',
      subject: container,
      hint: 'stop it, and its files can be copied',
    },
  );
}

interface Wanted {
  path: string;
  name?: string;
  view?: 'files' | 'rootfs';
}

/** Resolves when the path is found; the archive's stream then ends well only if the archive is whole. */
function openArchive(
  ctx: EngineContext,
  record: ContainerRecord,
  text: string,
  { path, name, view }: Wanted,
): Promise<ContainerArchive> {
  return new Promise((resolve, reject) => {
    const stream = archiveStream(
      (newOutput, signal, onFound) =>
        onFiles(
          ctx,
          record,
          text,
          (tree) =>
            copyOut({
              helperPath: ctx.helperPath,
              tree,
              path: containerPath(path),
              name,
              output: newOutput(),
              signal,
              failure: wording(text, path),
              onFound: (stat) => {
                onFound();
                resolve({ stat: pathStat(path, stat), archive: stream });
              },
            }),
          view,
        ),
      reject,
    );
  });
}

/**
 * A stream of what `produce` writes, that ends with its success and fails with its error; destroyed, it stops it. An error
 * before `onFound` goes to `notFound` alone.
 */
export function archiveStream(
  produce: (newOutput: () => Writable, signal: AbortSignal, onFound: () => void) => Promise<CopyOutResult>,
  notFound: (error: unknown) => void,
): Readable {
  const stream = new PassThrough();
  const abort = new AbortController();
  let found = false;
  // Not the stream itself: it must not end before it is known how the archive ended.
  const newOutput = () => {
    const output = new Writable({
      write: (chunk: Buffer, _encoding, done) => void stream.write(chunk, done),
    });
    // A stream that is destroyed never says that it has taken what was written last.
    stream.once('close', () => output.destroy());
    return output;
  };
  stream.once('close', () => abort.abort());
  produce(newOutput, abort.signal, () => {
    found = true;
  }).then(
    () => stream.end(),
    (error: unknown) => {
      if (found) stream.destroy(error instanceof Error ? error : new Error(String(error)));
      else notFound(error);
    },
  );
  return stream;
}

function wording(container: string, path: string): (failure: FailureRecord) => TsrunError {
  return (failure) => copyFailure({ container, path }, failure);
}

function pathStat(path: string, { mode, size, mtime, mtimeNanos, target }: CopyStat): PathStat {
  const seconds = new Date(Number(mtime) * 1000).toISOString().slice(0, 19);
  const fraction = mtimeNanos === 0 ? '' : `.${String(mtimeNanos).padStart(9, '0').replace(/0+$/, '')}`;
  return { name: archiveName(path), size, mode, mtime: `${seconds}${fraction}Z`, linkTarget: target };
}
