/** "Are you sure …? [y/N]" */
import type { Cli } from './command.js';
import { readLine } from './prompt.js';

/** Shows `warning` and the question; true if the answer begins with y. An end of input is a no. */
export function confirmed(cli: Cli, warning: string): boolean {
  cli.out(`${warning}\nAre you sure you want to continue? [y/N] `);
  return readLine().trim().toLowerCase() === 'y';
}
