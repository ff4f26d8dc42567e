/**
 * staging/ingest/<hex>: a blob on its way. The file carries its own lock (OFD, byte 0), so one process works on a blob
 * and the others wait for it; its bytes are a prefix of the blob and nothing more is trusted about them. What an
 * interrupted download leaves is where the next one goes on.
 */
import { createHash, type Hash } from 'node:crypto';
import { closeSync, fstatSync, ftruncateSync, openSync, read, statSync, unlinkSync, write } from 'node:fs';
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
const writeBytes = promisify(write);
const readBytes = promisify(read);

export class IngestFile {
  private hash: Hash = createHash('sha256');
  private written = 0;
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
          file.close();
          throw error;
        }
      }
      closeSync(fd);
    }
  }

  get offset(): number {
    return this.written;
  }

  async write(chunk: Buffer): Promise<void> {
    try {
      for (let done = 0; done < chunk.length; ) {
        const { bytesWritten } = await writeBytes(
          this.fd,
          chunk,
          done,
          chunk.length - done,
          this.written + done,
        );
        done += bytesWritten;
      }
    } catch (error) {
      throw systemError('store.ingest', this.path, error);
    }
    this.hash.update(chunk);
    this.written += chunk.length;
    this.wake();
  }

  async restart(): Promise<void> {
    ftruncateSync(this.fd, 0);
    this.hash = createHash('sha256');
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
    }
  }

  /**
   * The bytes from the first one on, as they come; ends when all of them are published.
   * @throws TsrunError CANCELLED when they are forgotten or given up meanwhile
   */
  async *follow(): AsyncGenerator<Buffer> {
    const { restarts } = this;
    // Of its own: the file may be closed before the last bytes are read.
    const fd = openSync(`/proc/self/fd/${this.fd}`, 'r');
    try {
      for (let at = 0; ; ) {
        if (this.restarts !== restarts) throw this.gaveUp();
        if (at < this.written) {
          const chunk = await this.piece(fd, at);
          if (chunk.length === 0) throw this.gaveUp();
          at += chunk.length;
          yield chunk;
        } else if (this.published) return;
        else if (this.fd < 0) throw this.gaveUp();
        else await new Promise<void>((resolve) => this.waiting.add(resolve));
      }
    } finally {
      closeSync(fd);
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
    await publishBlob(this.store.paths, this.path, this.digest);
    this.published = true;
    this.wake();
  }

  /** Lets the next one at the blob: it goes on where this one ended. */
  close(): void {
    if (this.fd < 0) return;
    try {
      if (this.written === 0 && isSameFile(this.fd, this.path)) unlinkSync(this.path);
    } finally {
      closeSync(this.fd);
      this.fd = -1;
      this.wake();
    }
  }
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
