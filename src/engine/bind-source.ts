import { readFileSync, realpathSync, statSync } from 'node:fs';
import { posix } from 'node:path';
import { errnoOf, reasonOf, TsrunError } from '../errors.js';
import { mountOf } from '../host/mountinfo.js';
import type { ContainerRecord } from '../store/containers.js';
import { makeDirs } from '../store/directories.js';

/** Before a start: the sources may have gone since the last one. */
export function prepareBindSources({ mounts, hostConfig }: ContainerRecord): void {
  const strict = new Set(strictTargets(hostConfig.Mounts));
  for (const { Type, Source, Destination, Propagation } of mounts) {
    if (Type !== 'bind') continue;
    if (strict.has(Destination)) requireBindSource(Source);
    else ensureBindSource(Source);
    requirePropagation(Source, Propagation);
  }
}

/** What is mounted below a source reaches the container only if the mount that the source lies on hands it on. */
function requirePropagation(source: string, propagation: string): void {
  const wanted = propagation.replace(/^r/, '');
  if (wanted !== 'shared' && wanted !== 'slave') return;
  const path = realpathSync(source);
  const { place, shared, slave } = mountOf(path, readFileSync('/proc/self/mountinfo', 'utf8'));
  if (shared || (wanted === 'slave' && slave)) return;
  const kind = wanted === 'shared' ? 'shared' : 'shared or slave';
  throw new TsrunError('USAGE', `path ${source} is mounted on ${place} but it is not a ${kind} mount`, {
    step: 'container.start',
    subject: source,
    hint: `mount --make-r${wanted === 'shared' ? 'shared' : 'slave'} ${place}`,
  });
}

/** Destinations of `--mount`, which makes no source. */
function strictTargets(mounts: unknown): string[] {
  if (!Array.isArray(mounts)) return [];
  return mounts.flatMap((mount: { Target?: unknown }) =>
    typeof mount.Target === 'string' ? [posix.resolve(mount.Target)] : [],
  );
}

/** @throws TsrunError USAGE in Docker's words */
export function requireBindSource(source: string): void {
  if (statSync(source, { throwIfNoEntry: false }) !== undefined) return;
  throw new TsrunError(
    'USAGE',
    `invalid mount config for type "bind": bind source path does not exist: ${source}`,
    { step: 'container.create', errno: 'ENOENT', subject: source },
  );
}

/**
 * A bind source that is missing becomes a directory of root's, as in Docker. Returns a word about it, since that is more
 * often a slip than a wish.
 */
export function ensureBindSource(source: string): string[] {
  if (statSync(source, { throwIfNoEntry: false }) !== undefined) return [];
  try {
    makeDirs(source, 0o755);
  } catch (cause) {
    throw new TsrunError(
      'SYSTEM',
      `error while creating mount source path '${source}': mkdir ${source}: ${reasonOf(cause)}`,
      { step: 'container.create', errno: errnoOf(cause), subject: source, cause },
    );
  }
  return [`the bind mount source ${source} did not exist: it was created as an empty directory`];
}
