/** The files of `--env-file`. */
import type { EnvFile } from '../intent/env.js';
import { readOptionFile } from './read-file.js';

/** @throws TsrunError USAGE for one that cannot be read. */
export function readEnvFiles(paths: readonly string[] = []): EnvFile[] {
  return paths.map((path) => ({ path, text: readOptionFile(path) }));
}
