/**
 * staging/ingest/<hex>: a blob on its way. The file carries its own lock (OFD, byte 0), so one process works on a blob
 * and the others wait for it; its bytes are a prefix of the blob and nothing more is trusted about them.
 */
import { createHash, type Hash } from 'node:crypto';
import { closeSync, fstatSync, ftruncateSync, statSync, unlinkSync, write } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { errnoOf } from '../errors.js';
import { type Digest, hexOf } from '../types/ids.js';
import { systemError } from './atomic.js';
import { digestOfHash, publishBlob } from './blobs.js';
import { isLinked, openLockFile, waitForLock } from './locks.js';
import type { Store } from './staging.js';

const BYTE = 0;
const writeBytes = promisify(write);

export class IngestFile {
  private hash: Hash = createHash('sha256');
  private written = 0;

  private constructor(
    private readonly store: Store,
    readonly digest: Digest,
    readonly path: string,
    private fd: number,
  ) {}

  /** Waits while another pull, of this process or another, works on the same blob. */
  static async open(store: Store, digest: Digest, signal?: AbortSignal): Promise<IngestFile> {
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
        await file.restart();
        return file;
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
  }

  async restart(): Promise<void> {
    ftruncateSync(this.fd, 0);
    this.hash = createHash('sha256');
    this.written = 0;
  }

  matches(): boolean {
    return digestOfHash(this.hash.copy()) === this.digest;
  }

  /** Moves the verified file into the blobs. The lock stays until {@link close}. */
  async publish(): Promise<void> {
    await publishBlob(this.store.paths, this.path, this.digest);
  }

  /** Lets the next one at the blob. What was not published is deleted. */
  close(): void {
    if (this.fd < 0) return;
    try {
      if (isSameFile(this.fd, this.path)) unlinkSync(this.path);
    } finally {
      closeSync(this.fd);
      this.fd = -1;
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
