/** Where the bytes of `load` come from: a spooled archive, or a directory that is an OCI layout. */
import { createHash } from 'node:crypto';
import { constants, readFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../errors.js';
import { memberName, type SpooledArchive } from '../layer/archive-reader.js';
import { systemError } from '../store/atomic.js';
import { digestOfHash, MAX_DOCUMENT } from '../store/blobs.js';
import { type BlobFile, bad, type Content } from './load-common.js';

const MAX_LINKS = 8;
const CHUNK = 1024 * 1024;

export function archiveContent({ files, links }: SpooledArchive): Content {
  const resolve = (name: string): BlobFile | undefined => {
    let key = memberName(name);
    // `docker save` of old links a layer.tar to the one of another image in the same archive.
    for (let hops = 0; hops < MAX_LINKS && !files.has(key); hops += 1) key = links.get(key) ?? key;
    return files.get(key);
  };
  return {
    async document(name) {
      const member = resolve(name);
      if (member === undefined) return undefined;
      refuseLarge(name, member.size);
      return readFileSync(member.path);
    },
    file: async (name) => resolve(name),
  };
}

/**
 * An OCI layout only: there every document but index.json is checked against a digest, so that a link planted in the
 * directory cannot make us store a file from elsewhere. Blobs are copied to `spool`, hashed on the way.
 */
export function directoryContent(dir: string, spool: string): Content {
  let copies = 0;
  const openFile = async (name: string): Promise<FileHandle | undefined> => {
    const key = memberName(name);
    if (key === 'manifest.json' || key.split('/').includes('..')) return undefined;
    try {
      return await open(join(dir, key), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
      throw systemError('image.load', join(dir, key), error);
    }
  };
  return {
    async document(name) {
      const file = await openFile(name);
      if (file === undefined) return undefined;
      try {
        refuseLarge(name, await sizeOf(file, name));
        return await file.readFile();
      } finally {
        await file.close();
      }
    },
    async file(name) {
      const source = await openFile(name);
      if (source === undefined) return undefined;
      copies += 1;
      const copy = join(spool, `copy-${copies}`);
      try {
        await sizeOf(source, name);
        return await copyHashed(source, copy);
      } finally {
        await source.close();
      }
    },
  };
}

async function sizeOf(file: FileHandle, name: string): Promise<number> {
  const stat = await file.stat();
  if (!stat.isFile()) throw bad(name, 'it is not a regular file');
  return stat.size;
}

async function copyHashed(source: FileHandle, path: string): Promise<BlobFile> {
  const target = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  try {
    const hash = createHash('sha256');
    const buffer = Buffer.alloc(CHUNK);
    let size = 0;
    for (;;) {
      const { bytesRead } = await source.read(buffer, 0, CHUNK, size);
      if (bytesRead === 0) break;
      hash.update(buffer.subarray(0, bytesRead));
      await target.writeFile(buffer.subarray(0, bytesRead));
      size += bytesRead;
    }
    return { path, size, digest: digestOfHash(hash) };
  } catch (error) {
    throw systemError('image.load', path, error);
  } finally {
    await target.close();
  }
}

function refuseLarge(name: string, size: number): void {
  if (size > MAX_DOCUMENT) throw bad(name, `a document of ${size} bytes, more than ${MAX_DOCUMENT}`);
}
