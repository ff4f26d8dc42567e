/** "Are you sure …? [y/N]" */
import { readSync } from 'node:fs';
import { errnoOf } from '../src/errors.js';
import type { Cli } from './command.js';

/** Shows `warning` and the question; true if the answer begins with y. An end of input is a no. */
export function confirmed(cli: Cli, warning: string): boolean {
  cli.out(`${warning}\nAre you sure you want to continue? [y/N] `);
  return readLine().trim().toLowerCase() === 'y';
}

/** One line of stdin; what follows it is left unread. */
function readLine(): string {
  const byte = Buffer.alloc(1);
  let line = '';
  for (;;) {
    try {
      if (readSync(0, byte) === 0) return line;
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === 'EOF') return line;
      if (errno !== 'EAGAIN') throw error;
      // Somebody made a shared pipe or terminal non-blocking.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
      continue;
    }
    if (byte[0] === 0x0a) return line;
    line += byte.toString('latin1');
  }
}
