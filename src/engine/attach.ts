/**
 * A client of a container's monitor: frames over a unix socket (src/native/protocol.ts) as Node streams. Losing the
 * connection never disturbs the container.
 */
import { Socket } from 'node:net';
import { Readable, Writable } from 'node:stream';
import { getSystemErrorName } from 'node:util';
import { TsrunError } from '../errors.js';
import { Frame, MAX_FRAME } from '../native/protocol.js';
import type { Attachment } from '../types/engine.js';

const HEADER = 8;
const STDIN_CHUNK = 64 * 1024;

/** One frame: kind, three zero bytes, big-endian length, payload. */
export function encodeFrame(kind: number, payload: Uint8Array = new Uint8Array(0)): Buffer {
  const frame = Buffer.alloc(HEADER + payload.length);
  frame[0] = kind;
  frame.writeUInt32BE(payload.length, 4);
  frame.set(payload, HEADER);
  return frame;
}

/** Cuts a byte stream into frames; pieces of frames are kept until the rest arrives. */
export class FrameDecoder {
  #pending: Buffer[] = [];
  #length = 0;

  /** @throws TsrunError FORMAT for a frame longer than the protocol allows. */
  push(chunk: Buffer, onFrame: (kind: number, payload: Buffer) => void): void {
    this.#pending.push(chunk);
    this.#length += chunk.length;
    while (this.#length >= HEADER) {
      const head = this.#joined(HEADER);
      const length = head.readUInt32BE(4);
      if (length > MAX_FRAME)
        throw new TsrunError('FORMAT', `the container's monitor sent a frame of ${length} bytes`);
      if (this.#length < HEADER + length) return;
      const whole = this.#joined(HEADER + length);
      const rest = whole.subarray(HEADER + length);
      this.#pending = rest.length === 0 ? [] : [rest];
      this.#length = rest.length;
      onFrame(whole[0] ?? 0, whole.subarray(HEADER, HEADER + length));
    }
  }

  /** The pending bytes as one buffer, once at least `needed` are contiguous. */
  #joined(needed: number): Buffer {
    const first = this.#pending[0];
    if (first !== undefined && first.length >= needed && this.#pending.length === 1) return first;
    const joined = Buffer.concat(this.#pending);
    this.#pending = [joined];
    return joined;
  }
}

export interface MonitorClientOptions {
  /** A connected socket; this client owns it. */
  fd: number;
  /** Bits of Want; 0 = control only. The `hello` is sent here unless `greeted`. */
  want: number;
  greeted?: boolean;
  /** Called when the connection ended without an exit frame: the monitor is gone. Gives the exit code. */
  onLost: () => Promise<number>;
}

/** @see Attachment */
export class MonitorClient implements Attachment {
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly stdin: Writable;
  readonly exit: Promise<number>;

  readonly #socket: Socket;
  readonly #decoder = new FrameDecoder();
  /** What the monitor has been asked and not yet answered, in order. */
  readonly #acks: { resolve: (value: number) => void; reject: (error: Error) => void }[] = [];
  /** Streams whose reader is behind; while there is one the socket is not read. */
  readonly #full = new Set<Readable>();
  #exitCode: number | undefined;
  #detached = false;

  constructor(options: MonitorClientOptions) {
    this.#socket = new Socket({ fd: options.fd, readable: true, writable: true, allowHalfOpen: true });
    this.stdout = this.#output();
    this.stderr = this.#output();
    this.stdin = this.#input();
    this.exit = new Promise((resolve, reject) => {
      let failure: Error | undefined;
      this.#socket.on('error', (error) => {
        failure = error;
      });
      this.#socket.on('close', () => {
        this.#end();
        if (this.#exitCode !== undefined) resolve(this.#exitCode);
        else if (this.#detached) reject(new TsrunError('CANCELLED', 'detached from the container'));
        else options.onLost().then(resolve, (error: unknown) => reject(error ?? failure));
      });
    });
    // A caller that only wants the streams need not look at the exit code.
    this.exit.catch(() => {});
    this.#socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    // All has been read: what is still on its way out is for nobody.
    this.#socket.on('end', () => this.#socket.destroy());
    if (options.greeted !== true && options.want !== 0)
      this.#socket.write(encodeFrame(Frame.hello, Buffer.of(options.want)));
  }

  resize(size: { rows: number; cols: number }): void {
    const payload = Buffer.alloc(4);
    payload.writeUInt16BE(size.rows & 0xffff, 0);
    payload.writeUInt16BE(size.cols & 0xffff, 2);
    this.#send(encodeFrame(Frame.resize, payload));
  }

  signal(signal: number): Promise<void> {
    return this.#request(encodeFrame(Frame.signal, Buffer.of(signal)));
  }

  /**
   * The user ends the container: no restart follows. `signal` 0 = none is sent. With `keep` it stays, even one of --rm: the
   * caller starts it again.
   */
  stop(signal: number, { keep = false } = {}): Promise<void> {
    return this.#request(encodeFrame(Frame.stop, Buffer.of(signal, keep ? 1 : 0)));
  }

  /** Runs the container's health check; true if it was a success. */
  async probe(): Promise<boolean> {
    return (await this.#ask(encodeFrame(Frame.probe))) === 0;
  }

  /** Resolves when the container's processes stand still; they go on at {@link thaw} or, with `hold`, when this client goes. */
  freeze({ hold = true } = {}): Promise<void> {
    return this.#request(encodeFrame(Frame.freeze, Buffer.of(hold ? 1 : 0)));
  }

  thaw(): Promise<void> {
    return this.#request(encodeFrame(Frame.thaw));
  }

  detach(): void {
    this.#detached = true;
    this.#socket.destroy();
  }

  #send(frame: Buffer): boolean {
    if (!this.#socket.writable) return false;
    this.#socket.write(frame);
    return true;
  }

  async #request(frame: Buffer): Promise<void> {
    await this.#ask(frame);
  }

  #ask(frame: Buffer): Promise<number> {
    return new Promise((resolve, reject) => {
      if (this.#send(frame)) this.#acks.push({ resolve, reject });
      else reject(new TsrunError('NOT_RUNNING', 'the container is not running'));
    });
  }

  #receive(chunk: Buffer): void {
    try {
      this.#decoder.push(chunk, (kind, payload) => this.#handle(kind, payload));
    } catch (error) {
      this.#socket.destroy(error instanceof Error ? error : undefined);
    }
  }

  #handle(kind: number, payload: Buffer): void {
    if (kind === Frame.stdout) this.#deliver(this.stdout, payload);
    else if (kind === Frame.stderr) this.#deliver(this.stderr, payload);
    else if (kind === Frame.exit) this.#exitCode = payload.readUInt32BE(0);
    else if (kind === Frame.probe) this.#acks.shift()?.resolve(payload.readUInt32BE(0));
    else if (kind === Frame.ack) this.#acknowledge(payload.readUInt32BE(0));
  }

  #acknowledge(errno: number): void {
    const waiting = this.#acks.shift();
    if (errno === 0) waiting?.resolve(0);
    else {
      const name = getSystemErrorName(-errno);
      waiting?.reject(
        new TsrunError('HELPER', `the container's monitor refused: ${name}`, {
          errno: name,
          step: 'monitor.request',
        }),
      );
    }
  }

  #deliver(stream: Readable, payload: Buffer): void {
    if (stream.destroyed || stream.push(payload)) return;
    this.#full.add(stream);
    this.#socket.pause();
  }

  #output(): Readable {
    const drained = (stream: Readable): void => {
      if (this.#full.delete(stream) && this.#full.size === 0) this.#socket.resume();
    };
    return new Readable({
      read() {
        drained(this);
      },
      destroy(error, done) {
        drained(this);
        done(error);
      },
    });
  }

  #input(): Writable {
    // The process may end at any time: bytes it no longer wants are dropped, as a closed pipe would.
    const write = (frame: Buffer, done: () => void): void => {
      if (this.#socket.writable) this.#socket.write(frame, () => done());
      else done();
    };
    return new Writable({
      write(chunk: Buffer, _encoding, done) {
        const next = (offset: number): void => {
          if (offset >= chunk.length) {
            done();
            return;
          }
          const end = Math.min(offset + STDIN_CHUNK, chunk.length);
          write(encodeFrame(Frame.stdin, chunk.subarray(offset, end)), () => next(end));
        };
        next(0);
      },
      final(done) {
        write(encodeFrame(Frame.stdinEnd), done);
      },
    });
  }

  #end(): void {
    this.stdout.push(null);
    this.stderr.push(null);
    this.stdin.destroy();
    for (const { reject } of this.#acks.splice(0))
      reject(new TsrunError('NOT_RUNNING', 'the container ended before it answered'));
  }
}
