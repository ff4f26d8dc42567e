/** The one thing that parsing asks of the outside: what a file named in an option holds. */
import { flagError } from './usage.js';

/** @throws TsrunError "open PATH: no such file or directory" */
export type ReadFile = (path: string) => Uint8Array;

export const noFiles: ReadFile = (path) => {
  throw flagError(`open ${path}: no such file or directory`, path);
};
