/** The user's side of an attached container: raw mode, detach keys, signals. */
import { constants } from 'node:os';
import type { TerminalControl } from '../src/types/engine.js';

/** Raw mode that is undone on every way out of the process that runs code at all. */
export class RawTerminal {
  private saved: Uint8Array | undefined;
  private readonly restore = () => this.leave();

  constructor(
    private readonly control: TerminalControl,
    private readonly fd: number,
  ) {}

  enter(): void {
    this.saved = this.control.makeRaw(this.fd);
    process.on('exit', this.restore);
  }

  leave(): void {
    const saved = this.saved;
    if (saved === undefined) return;
    this.saved = undefined;
    process.off('exit', this.restore);
    try {
      this.control.restoreTerminal(this.fd, saved);
    } catch {
      // The terminal is gone: nothing is left to restore.
    }
  }
}

/** Finds the detach keys in what is typed. A beginning of them is held back, and given out when the rest does not follow. */
export class DetachKeys {
  private held = 0;

  constructor(private readonly keys: readonly number[]) {}

  /** `bytes` go to the container; after `detach` nothing more does. */
  feed(chunk: Uint8Array): { bytes: Uint8Array; detach: boolean } {
    const out: number[] = [];
    for (const byte of chunk) {
      if (byte !== this.keys[this.held]) {
        out.push(...this.keys.slice(0, this.held));
        this.held = 0;
      }
      if (this.keys.length > 0 && byte === this.keys[this.held]) this.held += 1;
      else out.push(byte);
      if (this.keys.length > 0 && this.held === this.keys.length)
        return { bytes: Uint8Array.from(out), detach: true };
    }
    return { bytes: Uint8Array.from(out), detach: false };
  }
}

/** Not passed on: what cannot be caught, what concerns this process alone, and what only its terminal's job control sends. */
const OWN = new Set(
  'KILL STOP CHLD PIPE URG WINCH TTIN TTOU SEGV BUS FPE ILL TRAP ABRT IOT SYS PROF STKFLT'.split(' '),
);

export function proxiedSignals(): [name: NodeJS.Signals, number: number][] {
  const seen = new Set<number>();
  const list: [NodeJS.Signals, number][] = [];
  for (const [name, number] of Object.entries(constants.signals)) {
    if (OWN.has(name.slice(3)) || seen.has(number)) continue;
    seen.add(number);
    list.push([name as NodeJS.Signals, number]);
  }
  return list;
}

/** Listeners that can be taken off together. */
export class SignalListeners {
  private readonly listeners: [NodeJS.Signals, () => void][] = [];

  on(signal: NodeJS.Signals, listener: () => void): void {
    process.on(signal, listener);
    this.listeners.push([signal, listener]);
  }

  removeAll(): void {
    for (const [signal, listener] of this.listeners) process.off(signal, listener);
    this.listeners.length = 0;
  }
}

export interface Cancel {
  signal: AbortSignal;
  /** Numbers of the signals that came. */
  readonly caught: number[];
  done(): void;
}

/** SIGINT and SIGTERM cancel what is under way; a second one ends the process at once. */
export function cancelOnSignal(): Cancel {
  const abort = new AbortController();
  const listeners = new SignalListeners();
  const caught: number[] = [];
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    listeners.on(name, () => {
      caught.push(constants.signals[name]);
      if (caught.length > 1) process.exit(128 + constants.signals[name]);
      abort.abort();
    });
  return { signal: abort.signal, caught, done: () => listeners.removeAll() };
}
