/** Size of a container's writable part. */
import { closeSync, constants, lstatSync, openSync, readdirSync } from 'node:fs';
import { errnoOf } from '../errors.js';

/**
 * Sum of the sizes of the files below `dir` (of a symlink: the length of its target), each inode once, in bytes. The processes in the container can change
 * the tree meanwhile, so every directory is opened without following links and read through its fd: nothing outside is seen.
 */
export function treeSize(dir: string): number {
  const seen = new Set<bigint>();
  let total = 0n;
  // Names are bytes: they travel as latin1 strings.
  const walk = (path: string): void => {
    const fd = openDirectory(path);
    if (fd === undefined) return;
    try {
      const self = `/proc/self/fd/${fd}`;
      for (const name of readdirSync(self, { encoding: 'buffer' })) {
        const child = `${self}/${name.toString('latin1')}`;
        const entry = lstatSync(Buffer.from(child, 'latin1'), { bigint: true, throwIfNoEntry: false });
        if (entry === undefined) continue;
        if (entry.isDirectory()) walk(child);
        else if ((entry.isFile() || entry.isSymbolicLink()) && !(entry.nlink > 1n && seen.has(entry.ino))) {
          if (entry.nlink > 1n) seen.add(entry.ino);
          total += entry.size;
        }
      }
    } finally {
      closeSync(fd);
    }
  };
  walk(Buffer.from(dir).toString('latin1'));
  return Number(total);
}

function openDirectory(path: string): number | undefined {
  try {
    return openSync(
      Buffer.from(path, 'latin1'),
      constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW,
    );
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR' || errno === 'ELOOP') return undefined;
    throw error;
  }
}
