/**
 * Reads an archive that a stranger wrote. Nothing is extracted by name: each member's bytes go into a numbered file, and
 * names are only keys of a map.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { join, posix } from 'node:path';
import { PassThrough, type Readable } from 'node:stream';
import { Parser, type ReadEntry } from 'tar';
import { errnoOf, TsrunError } from '../errors.js';
import { type Digest, parseDigest } from '../types/ids.js';

const MAX_MEMBERS = 100_000;

export interface Member {
  /** Absolute path of the bytes. */
  readonly path: string;
  readonly size: number;
  readonly digest: Digest;
}

export interface SpooledArchive {
  readonly files: ReadonlyMap<string, Member>;
  /** Links by their own name; targets are names in the archive. */
  readonly links: ReadonlyMap<string, string>;
}

/** `./a//b` and `a/b` are one name; `..` stays and so matches nothing. */
export function memberName(name: string): string {
  return posix
    .normalize(name)
    .replace(/^(?:\.?\/)+/, '')
    .replace(/\/$/, '');
}

/**
 * Takes an archive (plain, gzip, zstd, xz or bzip2) apart into `dir`.
 * @throws TsrunError FORMAT for what is no tar
 */
export async function spoolArchive(input: Readable, dir: string): Promise<SpooledArchive> {
  const spool = new Spool(dir);
  // brotli and zstd off: the parser would guess them from the first bytes, and the input is plain here.
  const parser = new Parser({ strict: true, brotli: false, zstd: false });
  const failed: { error?: unknown } = {};
  const fail = (error: unknown) => {
    failed.error ??= error;
  };
  parser.on('error', fail);
  parser.on('entry', (entry: ReadEntry) => {
    try {
      spool.take(entry, fail);
    } catch (error) {
      fail(error);
      entry.resume();
    }
  });
  const ended = new Promise<void>((resolve) => parser.once('end', resolve));
  try {
    for await (const chunk of (await plainTar(input)) as AsyncIterable<Buffer>) {
      parser.write(chunk);
      if (failed.error !== undefined) throw failed.error;
    }
    parser.end();
    if (failed.error !== undefined) throw failed.error;
    await ended;
  } catch (error) {
    throw archiveError(error);
  } finally {
    spool.close();
  }
  return spool;
}

class Spool implements SpooledArchive {
  readonly files = new Map<string, Member>();
  readonly links = new Map<string, string>();
  private members = 0;
  private open?: number;

  constructor(private readonly dir: string) {}

  /** Entries come one after another, each with all its bytes before the next. */
  take(entry: ReadEntry, fail: (error: unknown) => void): void {
    this.members += 1;
    if (this.members > MAX_MEMBERS)
      throw new TsrunError('FORMAT', `more than ${MAX_MEMBERS} members`, { step: 'archive.read' });
    const name = memberName(entry.path);
    if (entry.type === 'SymbolicLink' || entry.type === 'Link') {
      const target = entry.linkpath ?? '';
      // A symbolic link is seen from its own directory, a hard link from the top.
      const full =
        entry.type === 'Link' || target.startsWith('/') ? target : posix.join(posix.dirname(name), target);
      this.links.set(name, memberName(full));
    }
    if (entry.type !== 'File' && entry.type !== 'OldFile' && entry.type !== 'ContiguousFile') {
      entry.resume();
      return;
    }
    const path = join(this.dir, `member-${this.members}`);
    const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    this.open = fd;
    const hash = createHash('sha256');
    let size = 0;
    entry.on('data', (chunk: Buffer) => {
      try {
        for (let done = 0; done < chunk.length; ) done += writeSync(fd, chunk, done);
        hash.update(chunk);
        size += chunk.length;
      } catch (error) {
        fail(error);
      }
    });
    entry.on('end', () => {
      this.close();
      this.links.delete(name);
      this.files.set(name, { path, size, digest: parseDigest(`sha256:${hash.digest('hex')}`) });
    });
  }

  close(): void {
    if (this.open !== undefined) closeSync(this.open);
    this.open = undefined;
  }
}

/** What a broken archive makes its readers throw, as our error. */
export function archiveError(error: unknown): unknown {
  if (error instanceof TsrunError) return error;
  const errno = errnoOf(error);
  if (errno !== undefined && /^E[A-Z]+$/.test(errno))
    return new TsrunError('SYSTEM', `cannot read the archive: ${errno}`, {
      step: 'archive.read',
      errno,
      cause: error,
    });
  const reason = error instanceof Error ? error.message : String(error);
  return new TsrunError('FORMAT', `the archive cannot be read: ${reason}`, {
    step: 'archive.read',
    cause: error,
  });
}

const MAGIC: [string, number[]][] = [
  ['gzip', [0x1f, 0x8b]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ['bzip2', [0x42, 0x5a, 0x68]],
];
const LONGEST_MAGIC = 6;

/** The program or format that `head`, a file's first bytes, belongs to. */
export function compressionOf(head: Uint8Array): string | undefined {
  return MAGIC.find(([, bytes]) => bytes.every((byte, i) => head[i] === byte))?.[0];
}

/** An archive as it is uncompressed: gzip, zstd, xz and bzip2 are told by their first bytes. */
export async function plainTar(input: Readable): Promise<Readable> {
  const iterator: AsyncIterator<Buffer> = input[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  let done = false;
  while (head.length < LONGEST_MAGIC && !done) {
    const next = await iterator.next();
    done = next.done === true;
    if (!done) head = Buffer.concat([head, Buffer.from(next.value)]);
  }
  if (head.length === 0) throw new TsrunError('FORMAT', 'the archive is empty', { step: 'archive.read' });
  const whole = new PassThrough({ highWaterMark: 1024 * 1024 });
  void pump(head, iterator, whole);
  const compression = compressionOf(head);
  if (compression === undefined) return kept(whole);
  if (compression !== 'gzip') return kept(through(compression, whole));
  const { createGunzip } = await import('node:zlib');
  const gunzip = createGunzip({ chunkSize: 256 * 1024 });
  whole.on('error', (error) => gunzip.destroy(error));
  return kept(whole.pipe(gunzip));
}

/** It may fail before its reader begins to read: the error waits for that, where Node would end the process. */
function kept(stream: Readable): Readable {
  return stream.on('error', () => {});
}

async function pump(head: Buffer, rest: AsyncIterator<Buffer>, output: PassThrough): Promise<void> {
  const put = (chunk: Buffer) =>
    output.write(chunk) || output.destroyed
      ? undefined
      : new Promise<void>((resolve) => {
          output.once('drain', resolve);
          output.once('close', resolve);
        });
  try {
    await put(head);
    for (;;) {
      const { value, done } = await rest.next();
      if (done || output.destroyed) break;
      await put(value);
    }
    output.end();
  } catch (error) {
    output.destroy(error instanceof Error ? error : new Error(String(error)));
  }
}

/** Formats that Node cannot read are read by their own program. */
function through(program: string, input: Readable): Readable {
  const child = spawn(program, ['-dc'], { stdio: ['pipe', 'pipe', 'pipe'], env: { PATH: process.env.PATH } });
  const output = new PassThrough();
  let words = '';
  child.stderr.on('data', (chunk: Buffer) => {
    if (words.length < 1000) words += chunk.toString('utf8');
  });
  child.on('error', (error) => output.destroy(missing(program, error)));
  child.on('close', (code) => {
    if (code === 0) output.end();
    else output.destroy(new Error(`${program}: ${words.trim() || `exit code ${code}`}`));
  });
  child.stdin.on('error', () => undefined); // its exit code says more
  input.on('error', (error) => {
    child.kill('SIGKILL');
    output.destroy(error);
  });
  output.on('close', () => child.kill('SIGKILL'));
  child.stdout.pipe(output, { end: false });
  input.pipe(child.stdin);
  return output;
}

function missing(program: string, cause: Error): TsrunError {
  return new TsrunError('HOST', `the archive is compressed with ${program}, which is not installed`, {
    step: 'archive.read',
    errno: errnoOf(cause),
    subject: program,
    hint: `install ${program === 'xz' ? 'xz-utils' : program}, or decompress the archive first`,
    cause,
  });
}
