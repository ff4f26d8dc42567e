/**
 * staging/ingest/<hex>: a blob on its way. The file carries its own lock (OFD, byte 0), so one process works on a blob
 * and the others wait for it; its bytes are a prefix of the blob and nothing more is trusted about them. What an
 * interrupted download leaves is where the next one goes on.
 */
import { createHash, type Hash } from 'node:crypto';
import { closeSync, fstatSync, ftruncateSync, openSync, read, statSync, unlinkSync, writev } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { errnoOf, TsrunError } from '../errors.js';
import { type Digest, hexOf } from '../types/ids.js';
import { systemError } from './atomic.js';
import { digestOfHash, publishBlob } from './blobs.js';
import { isLinked, openLockFile, waitForLock } from './locks.js';
import type { Store } from './staging.js';

const BYTE = 0;
/** Bytes read at once. */
const PIECE = 256 * 1024;
/** Bytes that may wait for the disk before whoever brings more has to wait as well. */
const AHEAD = 4 * 1024 * 1024;
const writeChunks = promisify(writev);
const readBytes = promisify(read);

export class IngestFile {
  private hash: Hash = createHash('sha256');
  /** Taken; hashed. */
  private accepted = 0;
  /** In the file. */
  private written = 0;
  private queue: Buffer[] = [];
  private queued = 0;
  /** Never fails. */
  private writing?: Promise<void>;
  private failure?: TsrunError;
  /** How often the bytes were forgotten. */
  private restarts = 0;
  private published = false;
  private readonly waiting = new Set<() => void>();

  private constructor(
    private readonly store: Store,
    readonly digest: Digest,
    readonly path: string,
    private fd: number,
  ) {}

  /**
   * Waits while another pull, of this process or another, works on the same blob.
   * @param size of the whole blob: a longer file is none of its beginnings
   */
  static async open(
    store: Store,
    { digest, size }: { digest: Digest; size: number },
    signal?: AbortSignal,
  ): Promise<IngestFile> {
    const path = join(store.paths.ingest, hexOf(digest));
    for (;;) {
      const fd = openLockFile(path);
      try {
        await waitForLock(store.native, fd, BYTE, 'exclusive', signal);
      } catch (error) {
        closeSync(fd);
        throw error;
      }
      // The one before us may have renamed or deleted the file that we waited for.
      if (isLinked(fd) && isSameFile(fd, path)) {
        const file = new IngestFile(store, digest, path, fd);
        try {
          await file.resume(size, signal);
          return file;
        } catch (error) {
          await file.close();
          throw error;
        }
      }
      closeSync(fd);
    }
  }

  get offset(): number {
    return this.accepted;
  }

  /** What comes while the disk is busy is written at once, later: an error may belong to an earlier chunk. */
  async write(chunk: Buffer): Promise<void> {
    this.hash.update(chunk);
    this.accepted += chunk.length;
    this.queue.push(chunk);
    this.queued += chunk.length;
    this.writing ??= this.drain();
    if (this.queued > AHEAD) await this.writing;
    if (this.failure !== undefined) throw this.failure;
  }

  private async drain(): Promise<void> {
    try {
      while (this.queue.length > 0) {
        const chunks = this.queue;
        this.queue = [];
        this.queued = 0;
        for (let rest = chunks; rest.length > 0; ) {
          const { bytesWritten } = await writeChunks(this.fd, rest, this.written);
          this.written += bytesWritten;
          rest = behind(rest, bytesWritten);
          this.wake();
        }
      }
    } catch (error) {
      this.failure = systemError('store.ingest', this.path, error);
    } finally {
      this.writing = undefined;
    }
  }

  /** Until all that was taken is in the file. */
  private async settled(): Promise<void> {
    await this.writing;
    if (this.failure !== undefined) throw this.failure;
  }

  async restart(): Promise<void> {
    await this.settled();
    ftruncateSync(this.fd, 0);
    this.hash = createHash('sha256');
    this.accepted = 0;
    this.written = 0;
    this.restarts += 1;
    this.wake();
  }

  /** Takes over what an earlier download left: hashed again, and its end is where this one goes on. */
  private async resume(size: number, signal?: AbortSignal): Promise<void> {
    const there = fstatSync(this.fd).size;
    if (there > size) await this.restart();
    while (this.written < Math.min(there, size)) {
      signal?.throwIfAborted();
      const chunk = await this.piece(this.fd, this.written);
      if (chunk.length === 0) return;
      this.hash.update(chunk);
      this.written += chunk.length;
      this.accepted = this.written;
    }
  }

  /** The file for somebody who reads it while it grows; a descriptor of its own, which the caller closes. */
  follow(): { fd: number; news: AsyncGenerator<Buffer> } {
    return { fd: openSync(`/proc/self/fd/${this.fd}`, 'r'), news: this.news(this.restarts) };
  }

  /**
   * One byte each time when there is more in the file; ends when all of it is published.
   * @throws TsrunError CANCELLED when what is there was forgotten, or the rest is given up
   */
  private async *news(restarts: number): AsyncGenerator<Buffer> {
    const one = Buffer.of(1);
    for (let at = 0; ; ) {
      if (this.restarts !== restarts) throw this.gaveUp();
      if (at < this.written) {
        at = this.written;
        yield one;
      } else if (this.published) return;
      else if (this.fd < 0) throw this.gaveUp();
      else await new Promise<void>((resolve) => this.waiting.add(resolve));
    }
  }

  private async piece(fd: number, at: number): Promise<Buffer> {
    try {
      const buffer = Buffer.allocUnsafe(PIECE);
      const { bytesRead } = await readBytes(fd, buffer, 0, PIECE, at);
      return buffer.subarray(0, bytesRead);
    } catch (error) {
      throw systemError('store.ingest', this.path, error);
    }
  }

  private gaveUp(): TsrunError {
    return new TsrunError('CANCELLED', 'the download began again or was given up', {
      step: 'store.ingest',
      subject: this.digest,
    });
  }

  private wake(): void {
    for (const resume of this.waiting) resume();
    this.waiting.clear();
  }

  matches(): boolean {
    return digestOfHash(this.hash.copy()) === this.digest;
  }

  /** Moves the verified file into the blobs. The lock stays until {@link close}. */
  async publish(): Promise<void> {
    await this.settled();
    await publishBlob(this.store.paths, this.path, this.digest);
    this.published = true;
    this.wake();
  }

  /** Lets the next one at the blob: it goes on where this one ended. */
  async close(): Promise<void> {
    await this.writing;
    if (this.fd < 0) return;
    try {
      if (this.accepted === 0 && isSameFile(this.fd, this.path)) unlinkSync(this.path);
    } finally {
      closeSync(this.fd);
      this.fd = -1;
      this.wake();
    }
  }
}

/** What is left of `chunks` behind the first `bytes`. */
function behind(chunks: readonly Buffer[], bytes: number): Buffer[] {
  let skip = bytes;
  return chunks.flatMap((chunk) => {
    const rest = chunk.subarray(Math.min(skip, chunk.length));
    skip -= chunk.length - rest.length;
    return rest.length > 0 ? [rest] : [];
  });
}

function isSameFile(fd: number, path: string): boolean {
  try {
    const [own, there] = [fstatSync(fd), statSync(path)];
    return own.ino === there.ino && own.dev === there.dev;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw systemError('store.ingest', path, error);
  }
}
