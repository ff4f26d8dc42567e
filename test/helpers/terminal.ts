/** A real terminal: a tmux server of its own, driven by keys and read from its screen. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

export class Terminal {
  private readonly socket = `tsrun-${randomBytes(6).toString('hex')}`;

  constructor(command: string, options: { env?: Record<string, string>; cols?: number; rows?: number } = {}) {
    const env = Object.entries(options.env ?? {}).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
    const size = ['-x', String(options.cols ?? 120), '-y', String(options.rows ?? 40)];
    this.tmux('-f', '/dev/null', 'new-session', '-d', ...size, ...env, command);
    this.tmux('set-option', '-g', 'remain-on-exit', 'on');
    this.tmux('set-option', '-g', 'history-limit', '50000');
  }

  private tmux(...args: string[]): string {
    return execFileSync('tmux', ['-L', this.socket, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  /** Types literal text. */
  type(text: string): void {
    this.tmux('send-keys', '-l', text);
  }

  /** Presses keys by tmux's names: Enter, C-c, C-p. */
  press(...keys: string[]): void {
    this.tmux('send-keys', ...keys);
  }

  resize(cols: number, rows: number): void {
    this.tmux('resize-window', '-x', String(cols), '-y', String(rows));
  }

  /** The screen, with everything that scrolled off above it. */
  screen(): string {
    return this.tmux('capture-pane', '-p', '-J', '-S', '-', '-E', '-');
  }

  /** Waits until the screen matches; the last screen is in the error when it never does. */
  async waitFor(pattern: RegExp, seconds = 60): Promise<string> {
    const deadline = Date.now() + seconds * 1000;
    for (;;) {
      const screen = this.screen();
      if (pattern.test(screen)) return screen;
      if (Date.now() > deadline) throw new Error(`the terminal never showed ${pattern}:\n${screen}`);
      await delay(50);
    }
  }

  /**
   * Waits until the program in the terminal has ended, by what the kernel says of it: tmux may leave it a zombie and never
   * write that the pane is dead (seen with 3.3a, the pane's own flag being set).
   */
  async waitForEnd(seconds = 60): Promise<void> {
    const pid = this.pid();
    const deadline = Date.now() + seconds * 1000;
    while (isAlive(pid)) {
      if (Date.now() > deadline) throw new Error(`the program has not ended:\n${this.screen()}`);
      await delay(50);
    }
  }

  /** pid of the program in the terminal. */
  pid(): number {
    return Number(this.tmux('display-message', '-p', '#{pane_pid}').trim());
  }

  /** pid of the program that the program in the terminal waits for. */
  childOf(): number {
    const pid = this.pid();
    return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
  }

  end(): void {
    this.tmux('kill-server');
  }
}

/** False for a zombie, too. */
function isAlive(pid: number): boolean {
  try {
    // The name in parentheses may have anything in it; the state follows.
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
