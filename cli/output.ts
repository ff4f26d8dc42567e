/** Writing to stdout and stderr. Never console, never process.stdout: the first is slow, the second loses its tail at exit. */
import { fstatSync, write, writeSync } from 'node:fs';
import { errnoOf, TsrunError } from '../src/errors.js';
import { BrokenPipe, nameOf } from './usage.js';

/** Writes all of it before it returns, also to a pipe that somebody made non-blocking. */
export function writeAll(fd: 1 | 2, data: string | Uint8Array): void {
  let rest =
    typeof data === 'string' ? Buffer.from(data) : Buffer.from(data.buffer, data.byteOffset, data.length);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      if (errnoOf(error) !== 'EAGAIN') throw translate(fd, error);
      pause(2);
    }
  }
}

function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/** A stream out with back-pressure: the promise resolves when the kernel has the bytes. */
export interface Sink {
  write(chunk: Uint8Array): Promise<void>;
}

/**
 * Pipes and sockets go through the event loop, so that a reader who stopped reading can neither block our signal
 * handlers nor our exit; files and terminals through the thread pool.
 */
export async function openSink(fd: 1 | 2): Promise<Sink> {
  const stat = fstatSync(fd);
  if (!stat.isFIFO() && !stat.isSocket()) return { write: (chunk) => writeFully(fd, chunk) };
  const { Socket } = await import('node:net');
  const socket = new Socket({ fd, readable: false, writable: true });
  let failure: Error | undefined;
  socket.on('error', (error) => {
    failure = translate(fd, error);
  });
  return {
    write: (chunk) =>
      new Promise((resolve, reject) => {
        if (failure) reject(failure);
        else socket.write(chunk, (error) => (error ? reject(translate(fd, error)) : resolve()));
      }),
  };
}

function writeFully(fd: 1 | 2, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const step = (from: number) =>
      write(fd, chunk, from, chunk.length - from, null, (error, written) => {
        if (error) {
          if (error.code === 'EAGAIN') setTimeout(step, 2, from);
          else reject(translate(fd, error));
        } else if (from + written < chunk.length) step(from + written);
        else resolve();
      });
    step(0);
  });
}

function translate(fd: 1 | 2, error: unknown): Error {
  const errno = errnoOf(error);
  if (errno === 'EPIPE') return new BrokenPipe(fd);
  const why = errno === 'ENOSPC' ? 'no space left on device' : (errno ?? String(error));
  return new TsrunError('SYSTEM', `write ${nameOf(fd)}: ${why}`, { errno, cause: error });
}
