/** `--cidfile`: a file that is made before the container, and filled or removed after it. */
import { closeSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { errnoOf, reasonOf, TsrunError } from '../errors.js';
import type { Created } from '../types/engine.js';

/** Runs `make` with the file reserved: nobody else can take the name meanwhile. @throws TsrunError CONFLICT if it is there */
export async function withCidFile(path: string | undefined, make: () => Promise<Created>): Promise<Created> {
  if (path === undefined) return make();
  const fd = reserve(path);
  try {
    const created = await make();
    writeFileSync(fd, created.id);
    return created;
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
}

function reserve(path: string): number {
  try {
    return openSync(path, 'wx', 0o644);
  } catch (cause) {
    const errno = errnoOf(cause);
    if (errno !== 'EEXIST') {
      const message = `failed to create the container ID file: open ${path}: ${reasonOf(cause)}`;
      throw new TsrunError('SYSTEM', message, { step: 'container.create', errno, subject: path, cause });
    }
    throw new TsrunError(
      'CONFLICT',
      `container ID file found, make sure the other container isn't running or delete ${path}`,
      { step: 'container.create', subject: path, cause },
    );
  }
}
