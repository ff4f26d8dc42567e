/** The lines of a log across its rotations: log, log.1, log.2, … from new to old; with compression log.1.gz, … */
import { type BigIntStats, closeSync, fstatSync, readFileSync, readSync, statSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { openIfThere } from './read-file.js';

const CHUNK = 64 * 1024;
const NEWLINE = 0x0a;

/** One file of the log. A compressed one is unpacked when its content is asked for. */
class LogFile {
  #content: Buffer | undefined;

  private constructor(
    private readonly fd: number,
    private readonly compressed: boolean,
  ) {}

  /** The uncompressed form first: the compressed one replaces it when it is whole. */
  static open(path: string): LogFile | undefined {
    for (const [name, compressed] of [[path, false] as const, [`${path}.gz`, true] as const]) {
      const fd = openIfThere(name);
      if (fd !== undefined) return new LogFile(fd, compressed);
    }
    return undefined;
  }

  /** bytes */
  get size(): number {
    return this.compressed ? this.#unpacked().length : fstatSync(this.fd).size;
  }

  read(buffer: Buffer, length: number, position: number): number {
    if (this.compressed) return this.#unpacked().copy(buffer, 0, position, position + length);
    return readSync(this.fd, buffer, 0, length, position);
  }

  /** Whether `other`, opened later, is the same part of the log: the monitor keeps the time when it compresses. */
  isSame(other: LogFile): boolean {
    const [mine, theirs] = [this.stat(), other.stat()];
    if (mine.ino === theirs.ino && mine.dev === theirs.dev) return true;
    return other.compressed && mine.mtimeNs === theirs.mtimeNs;
  }

  stat(): BigIntStats {
    return fstatSync(this.fd, { bigint: true });
  }

  close(): void {
    closeSync(this.fd);
  }

  #unpacked(): Buffer {
    this.#content ??= gunzipSync(readFileSync(this.fd));
    return this.#content;
  }
}

/** Reads whole lines of the log across its rotations, from the last `tail` ones on. */
export class LogReader {
  #files: LogFile[];
  #offset = 0;
  #rest: Buffer = Buffer.alloc(0);

  constructor(
    private readonly path: string,
    tail: number | undefined,
  ) {
    this.#files = openAll(path);
    if (tail !== undefined) this.#seekTail(tail);
  }

  /** The lines that are complete by now, old to new. Call it again after the file has grown. */
  *lines(): Generator<string> {
    const buffer = Buffer.alloc(CHUNK);
    for (;;) {
      const file = this.#files[0];
      if (file === undefined) {
        if (!this.#openCurrent()) return;
        continue;
      }
      const count = file.read(buffer, CHUNK, this.#offset);
      if (count > 0) {
        this.#offset += count;
        yield* this.#cut(buffer.subarray(0, count));
      } else if (!this.#next(file)) return;
    }
  }

  close(): void {
    for (const file of this.#files.splice(0)) file.close();
  }

  *#cut(chunk: Buffer): Generator<string> {
    let data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (let end = data.indexOf(NEWLINE); end >= 0; end = data.indexOf(NEWLINE)) {
      yield data.toString('utf8', 0, end);
      data = data.subarray(end + 1);
    }
    this.#rest = Buffer.from(data);
  }

  /** At the end of `file`: goes on to the newer one, if there is one. */
  #next(file: LogFile): boolean {
    if (this.#files.length === 1) {
      const current = statSync(this.path, { throwIfNoEntry: false, bigint: true });
      if (current === undefined || current.ino === file.stat().ino) return false;
      // It was rotated away while it was read; what was appended before that is still to be read.
      if (file.size > this.#offset) return true;
      this.#files.push(...openNewer(this.path, file));
    }
    file.close();
    this.#files.shift();
    this.#offset = 0;
    this.#rest = Buffer.alloc(0);
    return this.#files.length > 0;
  }

  #openCurrent(): boolean {
    this.#files.push(...openAll(this.path));
    return this.#files.length > 0;
  }

  /** Finds where the last `count` lines begin, reading backwards from the end. */
  #seekTail(count: number): void {
    let wanted = count;
    for (let i = this.#files.length - 1; i >= 0; i--) {
      const file = this.#files[i];
      if (file === undefined) continue;
      const found = lineStart(file, wanted);
      if (found.missing > 0 && i > 0) {
        wanted = found.missing;
        continue;
      }
      for (const older of this.#files.splice(0, i)) older.close();
      this.#offset = found.offset;
      return;
    }
  }
}

/** Offset at which the last `count` lines of the file begin, and how many it is short of. */
function lineStart(file: LogFile, count: number): { offset: number; missing: number } {
  const { size } = file;
  if (count === 0 || size === 0) return { offset: size, missing: count };
  const buffer = Buffer.alloc(CHUNK);
  let missing = count;
  for (let end = size; end > 0; end = Math.max(0, end - CHUNK)) {
    const begin = Math.max(0, end - CHUNK);
    file.read(buffer, end - begin, begin);
    for (let at = end - 1; at >= begin; at--) {
      // The newline at the very end begins no line.
      if (buffer[at - begin] !== NEWLINE || at === size - 1) continue;
      missing--;
      if (missing === 0) return { offset: at + 1, missing };
    }
  }
  return { offset: 0, missing: missing - 1 };
}

/** The log's files, old to new. */
function openAll(path: string): LogFile[] {
  const files: LogFile[] = [];
  for (let i = 0; ; i++) {
    const file = LogFile.open(i === 0 ? path : `${path}.${i}`);
    if (file === undefined) return files;
    files.unshift(file);
  }
}

/** The files that are newer than this one; all, when it has been rotated out of existence. */
function openNewer(path: string, file: LogFile): LogFile[] {
  const files = openAll(path);
  const mine = files.findIndex((other) => file.isSame(other));
  for (const older of files.splice(0, mine + 1)) older.close();
  return files;
}
