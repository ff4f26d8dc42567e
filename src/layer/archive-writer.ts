/** Writes an archive whose names and bytes are ours, with constant memory. */
import { createReadStream } from 'node:fs';
import type { Writable } from 'node:stream';
import { Header } from 'tar';
import { errnoOf, TsrunError } from '../errors.js';

const BLOCK = 512;
/** Reproducible: the same images give the same archive. */
const MTIME = new Date(0);

export class ArchiveWriter {
  private failed: unknown;

  constructor(private readonly output: Writable) {
    output.on('error', (error) => {
      this.failed ??= error;
    });
  }

  async directory(path: string): Promise<void> {
    await this.write(header(`${path}/`, 0, 'Directory'));
  }

  async bytes(path: string, data: Uint8Array): Promise<void> {
    await this.write(header(path, data.byteLength, 'File'));
    await this.write(data);
    await this.pad(data.byteLength);
  }

  /** @param size bytes; a file that turns out to have another size ends the archive with an error */
  async file(path: string, source: string, size: number): Promise<void> {
    await this.write(header(path, size, 'File'));
    let left = size;
    const stream: AsyncIterable<Buffer> = createReadStream(source, { highWaterMark: 1024 * 1024 });
    for await (const chunk of stream) {
      left -= chunk.length;
      if (left >= 0) await this.write(chunk);
    }
    if (left !== 0)
      throw new TsrunError('CONTENT', `${source} changed its size while it was read`, {
        step: 'archive.write',
        subject: source,
      });
    await this.pad(size);
  }

  /** Two empty blocks; the stream stays open, it is the caller's. */
  async end(): Promise<void> {
    await this.write(Buffer.alloc(2 * BLOCK));
  }

  private async pad(size: number): Promise<void> {
    const rest = size % BLOCK;
    if (rest > 0) await this.write(Buffer.alloc(BLOCK - rest));
  }

  private write(data: Uint8Array): Promise<void> {
    if (this.failed !== undefined) return Promise.reject(writeError(this.failed));
    return new Promise((resolve, reject) => {
      this.output.write(data, (error) => (error ? reject(writeError(error)) : resolve()));
    });
  }
}

function writeError(cause: unknown): TsrunError {
  const errno = errnoOf(cause);
  return new TsrunError('SYSTEM', `cannot write the archive: ${errno ?? String(cause)}`, {
    step: 'archive.write',
    errno,
    cause,
  });
}

function header(path: string, size: number, type: 'File' | 'Directory'): Buffer {
  const made = new Header({
    path,
    type,
    size,
    mode: type === 'Directory' ? 0o755 : 0o644,
    uid: 0,
    gid: 0,
    mtime: MTIME,
  });
  const buffer = Buffer.alloc(BLOCK);
  made.encode(buffer);
  return buffer;
}
