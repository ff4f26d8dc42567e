/** The explorer on a terminal: keys in, screens out, and the terminal as it was on every way out. */
import { constants } from 'node:os';
import type { TerminalControl } from '../../src/types/engine.js';
import type { ImageExploration } from '../../src/types/explore.js';
import type { Cli } from '../command.js';
import { writeAll } from '../output.js';
import { RawTerminal, SignalListeners } from '../terminal.js';
import { Explorer } from './explorer.js';
import { KeyReader } from './keys.js';
import { drawScreen } from './screen.js';
import { themeOf } from './style.js';

/** Another screen, without its cursor and without line wrapping; and back. */
const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l';
const LEAVE = '\x1b[?7h\x1b[?25h\x1b[?1049l';
/** A lone escape is that key when nothing follows for so long. */
const ESCAPE_MS = 40;

/** Resolves when the user leaves. */
export async function exploreOnTerminal(
  cli: Cli,
  control: TerminalControl,
  image: ImageExploration,
): Promise<void> {
  const screen = new Screen(control);
  const signals = new SignalListeners();
  const explorer = new Explorer(image);
  const theme = themeOf(cli.env);
  const draw = () => {
    const size = control.windowSize(1);
    screen.show(drawScreen(explorer, { rows: size.rows || 24, cols: size.cols || 80 }, theme));
  };
  try {
    screen.enter();
    for (const name of ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM'] as const)
      signals.on(name, () => process.exit(128 + constants.signals[name]));
    signals.on('SIGWINCH', draw);
    // After a stop the terminal is whatever the shell made of it.
    signals.on('SIGCONT', () => {
      screen.enter();
      draw();
    });
    signals.on('SIGTSTP', () => suspend(screen));
    draw();
    await untilLeft(explorer, { draw, suspend: () => suspend(screen) });
  } finally {
    signals.removeAll();
    screen.leave();
  }
}

/** SIGSTOP, since SIGTSTP has a listener: the shell sees the same. */
function suspend(screen: Screen): void {
  screen.leave();
  process.kill(process.pid, 'SIGSTOP');
}

/** Also when the terminal has gone: there is nobody to leave any more. */
function untilLeft(explorer: Explorer, on: { draw(): void; suspend(): void }): Promise<void> {
  const { stdin } = process;
  const reader = new KeyReader();
  let timer: NodeJS.Timeout | undefined;
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      stdin.off('data', take).off('end', done).off('close', done).off('error', done);
      stdin.pause();
      resolve();
    };
    const press = (keys: readonly string[]) => {
      for (const key of keys) {
        if (key === 'ctrl-z') on.suspend();
        else if (key === 'ctrl-\\') process.kill(process.pid, 'SIGQUIT');
        else if (explorer.press(key)) return done();
      }
      on.draw();
    };
    const take = (chunk: Uint8Array) => {
      clearTimeout(timer);
      press(reader.feed(chunk));
      if (reader.waiting) timer = setTimeout(() => press(reader.flush()), ESCAPE_MS);
    };
    stdin.on('data', take).on('end', done).on('close', done).on('error', done);
  });
}

class Screen {
  readonly #raw: RawTerminal;
  #inside = false;
  #last: string[] = [];
  readonly #leave = () => this.leave();

  constructor(control: TerminalControl) {
    this.#raw = new RawTerminal(control, 0);
  }

  enter(): void {
    if (this.#inside) this.#raw.leave();
    else process.on('exit', this.#leave);
    this.#inside = true;
    this.#raw.enter();
    this.#last = [];
    writeAll(1, ENTER);
  }

  leave(): void {
    if (!this.#inside) return;
    this.#inside = false;
    process.off('exit', this.#leave);
    try {
      writeAll(1, LEAVE);
    } catch {
      // The terminal is gone: nothing is left to restore.
    }
    this.#raw.leave();
  }

  /** Writes the lines that are not as they were, in one piece: nothing flickers. */
  show(lines: string[]): void {
    if (!this.#inside) return;
    const all = lines.length !== this.#last.length;
    let text = all ? '\x1b[2J' : '';
    lines.forEach((line, i) => {
      if (all || line !== this.#last[i]) text += `\x1b[${i + 1};1H${line}`;
    });
    this.#last = lines;
    writeAll(1, text);
  }
}
