/**
 * The reading end of the event journal: events.jsonl, and events.jsonl.1, which it was until it had grown too large. A file
 * that moves on keeps its readers, so none of them misses a line that is written late.
 */
import { closeSync, fstatSync, openSync, readSync, statSync, watch } from 'node:fs';
import { openIfThere } from './read-file.js';

const CHUNK = 64 * 1024;
/** Longest wait of a timer in Node; a later `until` is waited for in pieces. */
export const LONGEST_WAIT_MS = 0x7fffffff;

export class JournalReader {
  /** Old to new. */
  #files: { fd: number; ino: number; lines: Lines }[] = [];
  readonly #change: Change;

  /** `history`: from the beginning; otherwise what is appended from now on. */
  constructor(
    private readonly path: string,
    history: boolean,
    signal: AbortSignal | undefined,
  ) {
    this.#change = new Change(signal);
    this.#open(history);
    if (!history) return;
    const old = openIfThere(`${path}.1`);
    if (old === undefined) return;
    // Moved between the two opens: then we have it already.
    if (fstatSync(old).ino === this.#files[0]?.ino) closeSync(old);
    else this.#files.unshift(fileOf(old, 0));
  }

  /** Whole lines that were not read before. */
  *read(): Generator<string> {
    do {
      for (const { lines } of this.#files) yield* lines.read();
    } while (this.#follow());
  }

  change(limitMs: number): Promise<void> {
    return this.#change.next(limitMs);
  }

  close(): void {
    this.#change.stop();
    for (const { fd } of this.#files) closeSync(fd);
    this.#files = [];
  }

  #open(history: boolean): void {
    // Made if it is missing: there must be something to watch.
    const fd = openSync(this.path, 'a+', 0o600);
    this.#change.watch(this.path);
    this.#files.push(fileOf(fd, history ? 0 : fstatSync(fd).size));
  }

  /** True if another file has taken the place of the one that was read last. */
  #follow(): boolean {
    if (statSync(this.path, { throwIfNoEntry: false })?.ino === this.#files.at(-1)?.ino) return false;
    this.#open(true);
    for (const { fd } of this.#files.splice(0, this.#files.length - 2)) closeSync(fd);
    return true;
  }
}

function fileOf(fd: number, offset: number): { fd: number; ino: number; lines: Lines } {
  return { fd, ino: fstatSync(fd).ino, lines: new Lines(fd, offset) };
}

/** Whole lines of a file that grows. */
class Lines {
  #rest = Buffer.alloc(0);
  readonly #buffer = Buffer.alloc(CHUNK);

  constructor(
    private readonly fd: number,
    private offset: number,
  ) {}

  *read(): Generator<string> {
    for (;;) {
      const count = readSync(this.fd, this.#buffer, 0, CHUNK, this.offset);
      if (count === 0) return;
      this.offset += count;
      let data = Buffer.concat([this.#rest, this.#buffer.subarray(0, count)]);
      for (let end = data.indexOf(10); end >= 0; end = data.indexOf(10)) {
        yield data.toString('utf8', 0, end);
        data = data.subarray(end + 1);
      }
      this.#rest = Buffer.from(data);
    }
  }
}

/** Wakes a reader when a file has changed since it last asked. */
class Change {
  #changed = false;
  #wake: (() => void) | undefined;
  readonly #cleanups: (() => void)[] = [];

  readonly #notify = (): void => {
    this.#changed = true;
    this.#wake?.();
  };

  constructor(signal: AbortSignal | undefined) {
    signal?.addEventListener('abort', this.#notify, { once: true });
    this.#cleanups.push(() => signal?.removeEventListener('abort', this.#notify));
  }

  /** The file that is at `path` now, wherever it goes. */
  watch(path: string): void {
    const watcher = watch(path, this.#notify);
    watcher.on('error', this.#notify);
    this.#cleanups.push(() => watcher.close());
  }

  async next(limitMs: number): Promise<void> {
    if (!this.#changed && limitMs > 0) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        timer = setTimeout(resolve, Math.min(limitMs, LONGEST_WAIT_MS));
      });
      clearTimeout(timer);
    }
    this.#changed = false;
  }

  stop(): void {
    for (const cleanup of this.#cleanups) cleanup();
  }
}
