/** The files of `--env-file`. */
import { readFileSync } from 'node:fs';
import { errnoOf, reasonOf, TsrunError } from '../errors.js';
import type { EnvFile } from '../intent/env.js';

/** @throws TsrunError USAGE for one that cannot be read. */
export function readEnvFiles(paths: readonly string[] = []): EnvFile[] {
  return paths.map((path) => {
    try {
      return { path, text: readFileSync(path) };
    } catch (cause) {
      throw new TsrunError('USAGE', `open ${path}: ${reasonOf(cause)}`, {
        step: 'intent',
        errno: errnoOf(cause),
        subject: path,
        cause,
      });
    }
  });
}
