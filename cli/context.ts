/** What the verbs get to work with, made of the process's own parts. */
import type { Engine, TraceEvent } from '../src/types/engine.js';
import type { Cli } from './command.js';
import type { Globals } from './main.js';
import type { Sink } from './output.js';
import { renderError } from './render/error.js';

/** The process's edges. Tests give their own. */
export interface Io {
  env: Record<string, string | undefined>;
  out(text: string | Uint8Array): void;
  err(text: string): void;
  sink(fd: 1 | 2): Sink;
  isTty(fd: 0 | 1 | 2): boolean;
  columns(fd: 1 | 2): number | undefined;
}

export function makeCli(
  io: Io,
  globals: Globals,
  path: string,
  makeEngine: (globals: Globals, onTrace?: (event: TraceEvent) => void) => Promise<Engine>,
): Cli {
  let engine: Promise<Engine> | undefined;
  let made: Engine | undefined;
  return {
    ...io,
    path,
    debug: globals.debug,
    engine() {
      engine ??= makeEngine(globals, globals.debug ? (event) => io.err(traceLine(event)) : undefined).then(
        (value) => {
          made = value;
          return value;
        },
      );
      return engine;
    },
    report: (error) => io.err(renderError(error, { debug: globals.debug })),
    columns: (fd) => (made && io.isTty(fd) ? made.terminal.windowSize(fd).cols || undefined : io.columns(fd)),
  };
}

/** `  12.345 ms  engine  image.pull  redis` */
export function traceLine({ t, source, step, subject }: TraceEvent): string {
  const time = t === undefined ? '' : (t / 1000).toFixed(3);
  return `${time.padStart(10)} ms  ${source.padEnd(6)}  ${step}${subject ? `  ${subject}` : ''}\n`;
}
