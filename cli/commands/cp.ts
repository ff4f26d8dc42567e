import { createReadStream } from 'node:fs';
import { posix } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { CopyOptions, Engine } from '../../src/types/engine.js';
import { type Cli, defineCommand } from '../command.js';
import { CopyProgress } from '../render/copy-progress.js';
import { UsageError } from '../usage.js';
import { sinkStream } from './archive-file.js';

export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n\ttsrun cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH',
  flags: [
    {
      name: 'archive',
      short: 'a',
      kind: 'bool',
      help: 'Archive mode (copy all uid/gid information)',
    },
    {
      name: 'follow-link',
      short: 'L',
      kind: 'bool',
      help: 'Always follow symbol link in SRC_PATH',
    },
    {
      name: 'quiet',
      short: 'q',
      kind: 'bool',
      help: 'Suppress progress output during copy. Progress output is automatically suppressed if no terminal is attached',
    },
  ],
  min: 2,
  max: 2,
  examples: [
    ['tsrun cp web:/etc/nginx/nginx.conf .', 'A file out of a container, running or not'],
    ['tsrun cp ./site/. web:/usr/share/nginx/html', 'The content of a directory into one'],
    ['tsrun cp web:/var/log - | tar tf -', "'-' is a tar archive, on stdout or from stdin"],
  ],
  async run(cli, flags, [from = '', to = '']) {
    const source = parseEnd(from, 'source');
    const destination = parseEnd(to, 'destination');
    if (source.container !== undefined && destination.container !== undefined)
      throw refusal('copying between containers is not supported');
    const options = { archive: flags.archive, followLink: flags['follow-link'] };
    const quiet = flags.quiet === true;
    if (source.container !== undefined)
      return outOf(cli, { container: source.container, path: source.path }, destination.path, options, quiet);
    if (destination.container !== undefined)
      return into(
        cli,
        source.path,
        { container: destination.container, path: destination.path },
        options,
        quiet,
      );
    throw refusal('must specify at least one container source');
  },
});

interface End {
  container?: string;
  path: string;
}

/** "c:/path", or a local path: absolute, or one that begins with a dot, whatever colons are in it. */
export function parseEnd(text: string, what: 'source' | 'destination'): End {
  if (text === '') throw refusal(`${what} can not be empty`);
  const colon = text.indexOf(':');
  if (text.startsWith('/') || text.startsWith('.') || colon < 0) return { path: text };
  // ":path" is no container's, but not a local path either.
  return { container: text.slice(0, colon), path: text.slice(colon + 1) };
}

function refusal(message: string): UsageError {
  return new UsageError(`tsrun: ${message}`, 1, { usage: false });
}

async function outOf(
  cli: Cli,
  { container, path }: Required<End>,
  local: string,
  options: CopyOptions,
  quiet: boolean,
): Promise<number> {
  const engine = await cli.engine();
  if (local === '-') {
    const { archive } = await engine.copyFrom(container, await target(engine, container, path, options));
    await pipeline(archive, sinkStream(cli.sink(1)));
    return 0;
  }
  const progress = new CopyProgress(cli, 'Copying from container', quiet);
  const { size, path: where } = await progress.during((onProgress) =>
    engine.copyOut(container, path, local, { ...options, onProgress }),
  );
  progress.success(size, where);
  return 0;
}

/** What `-L` reads. */
async function target(engine: Engine, container: string, path: string, { followLink }: CopyOptions) {
  if (!followLink) return path;
  const { linkTarget } = await engine.statPath(container, path);
  return linkTarget === '' ? path : linkTarget;
}

async function into(
  cli: Cli,
  local: string,
  { container, path }: Required<End>,
  options: CopyOptions,
  quiet: boolean,
): Promise<number> {
  const engine = await cli.engine();
  if (local === '-') {
    const dir = await directory(engine, container, path);
    const archive = createReadStream('', { fd: 0, autoClose: false });
    await engine.copyTo(container, dir, archive, { noOverwriteDirNonDir: true });
    return 0;
  }
  const progress = new CopyProgress(cli, 'Copying to container', quiet);
  const { size, path: where } = await progress.during((onProgress) =>
    engine.copyIn(local, container, path, { ...options, onProgress }),
  );
  progress.success(size, `${container}:${where}`);
  return 0;
}

/** An archive goes into a directory that is there, or into the one that a link names. */
async function directory(engine: Engine, container: string, path: string): Promise<string> {
  const isDirectory = (mode: number) => (mode & 0o170000) === 0o040000;
  const stat = await engine.statPath(container, path).catch((error: unknown) => {
    if (error instanceof Error && 'step' in error && error.step === 'copy.path') return undefined;
    throw error;
  });
  const where = stat?.linkTarget || path;
  const found = where === path ? stat : await engine.statPath(container, where);
  if (found !== undefined && isDirectory(found.mode)) return posix.normalize(`/${where}`);
  throw refusal(`destination "${container}:${path}" must be a directory`);
}
