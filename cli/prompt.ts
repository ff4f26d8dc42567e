/** Questions to whoever sits at the terminal. */
import { readSync } from 'node:fs';
import { errnoOf, TsrunError } from '../src/errors.js';
import type { TerminalControl } from '../src/types/engine.js';
import type { Cli } from './command.js';

const STDIN = 0;
const CTRL_C = 0x03;
const CTRL_D = 0x04;
const CTRL_U = 0x15;
const BACKSPACES = [0x08, 0x7f];

/** One line of stdin, without its end; what follows it is left unread. */
export function readLine(): string {
  const line: number[] = [];
  for (let byte = readByte(); byte !== undefined && byte !== 0x0a; byte = readByte()) line.push(byte);
  return Buffer.from(line).toString('utf8');
}

/** All of stdin. */
export function readAll(): string {
  const bytes: number[] = [];
  for (let byte = readByte(); byte !== undefined; byte = readByte()) bytes.push(byte);
  return Buffer.from(bytes).toString('utf8');
}

/** A line that is typed and not shown. @throws TsrunError CANCELLED for ctrl-c */
export function readSecret(cli: Cli, control: TerminalControl, question: string): string {
  cli.out(question);
  const saved = control.makeRaw(STDIN);
  try {
    return typedLine();
  } finally {
    control.restoreTerminal(STDIN, saved);
    cli.out('\n');
  }
}

/** As the terminal itself would edit it, were it not raw. */
function typedLine(): string {
  let line: number[] = [];
  for (;;) {
    const byte = readByte();
    if (byte === CTRL_C) throw new TsrunError('CANCELLED', 'canceled');
    if (byte === undefined || byte === 0x0a || byte === 0x0d) break;
    if (byte === CTRL_D && line.length === 0) break;
    if (BACKSPACES.includes(byte)) line = withoutLast(line);
    else if (byte === CTRL_U) line = [];
    else line.push(byte);
  }
  return Buffer.from(line).toString('utf8');
}

/** A character of UTF-8 is one byte, and bytes 10xxxxxx after it. */
function withoutLast(line: readonly number[]): number[] {
  const last = line.findLastIndex((byte) => (byte & 0xc0) !== 0x80);
  return line.slice(0, Math.max(last, 0));
}

function readByte(): number | undefined {
  const byte = Buffer.alloc(1);
  for (;;) {
    try {
      return readSync(STDIN, byte) === 0 ? undefined : byte[0];
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === 'EOF') return undefined;
      if (errno !== 'EAGAIN') throw error;
      // Somebody made a shared pipe or terminal non-blocking.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }
}
