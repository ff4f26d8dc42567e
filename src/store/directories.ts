import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { errnoOf } from '../errors.js';

/**
 * Makes a directory and what is missing above it; one that is there is left as it is. Not Node's own `recursive`: that
 * never ends where a parent exists and still answers ENOENT (/proc), and says ENOENT for a read-only file system.
 */
export function makeDirs(path: string, mode: number): void {
  try {
    makeDir(path, mode);
  } catch (error) {
    const parent = dirname(path);
    if (errnoOf(error) !== 'ENOENT' || statSync(parent, { throwIfNoEntry: false })) throw error;
    makeDirs(parent, mode);
    makeDir(path, mode);
  }
}

function makeDir(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST' || !statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw error;
  }
}
