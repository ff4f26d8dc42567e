/** What `cp` tells, on stderr and only to a terminal. */
import type { Cli } from '../command.js';
import { escapeControls } from './escape.js';
import { humanSize } from './units.js';

/** Milliseconds: a copy that takes no time is told only at its end. */
const FIRST = 1000;
const REDRAW = 200;

export class CopyProgress {
  private readonly shown: boolean;
  private drawnAt: number;
  private drawn = false;

  constructor(
    private readonly cli: Pick<Cli, 'err' | 'isTty'>,
    private readonly title: string,
    quiet: boolean,
    private readonly now: () => number = Date.now,
  ) {
    this.shown = !quiet && cli.isTty(2);
    this.drawnAt = now() + FIRST - REDRAW;
  }

  /** Runs `copy`, which tells the bytes that went so far; afterwards the line is empty again. */
  async during<T>(copy: (onProgress?: (bytes: number) => void) => Promise<T>): Promise<T> {
    try {
      return await copy(this.shown ? (bytes) => this.draw(bytes) : undefined);
    } finally {
      if (this.drawn) this.cli.err('\r\x1b[2K');
    }
  }

  success(bytes: number, where: string): void {
    if (this.shown)
      this.cli.err(`${escapeControls(`Successfully copied ${humanSize(bytes)} to ${where}`)}\n`);
  }

  private draw(bytes: number): void {
    if (this.now() - this.drawnAt < REDRAW) return;
    this.drawnAt = this.now();
    this.drawn = true;
    this.cli.err(`\r\x1b[2K${this.title} - ${humanSize(bytes)}`);
  }
}
