/** Where `save` and `export` write to. */
import { createWriteStream, renameSync, rmSync, statSync } from 'node:fs';
import { Writable } from 'node:stream';
import type { Sink } from '../output.js';

/** The file appears under its name only when it is whole. A device or a FIFO is written to, never replaced. */
export async function writeArchive(path: string, write: (output: Writable) => Promise<void>): Promise<void> {
  const target = statSync(path, { throwIfNoEntry: false });
  const inPlace = target !== undefined && !target.isFile();
  const temporary = inPlace ? path : `${path}.tmp-${process.pid}`;
  const output = createWriteStream(temporary, { mode: 0o600 });
  try {
    await write(output);
    if (!output.closed)
      await new Promise<void>((resolve, reject) =>
        output.on('error', reject).end(() => output.close(() => resolve())),
      );
    if (!inPlace) renameSync(temporary, path);
  } catch (error) {
    if (!inPlace) rmSync(temporary, { force: true });
    throw error;
  }
}

export function sinkStream(sink: Sink): Writable {
  return new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      sink.write(chunk).then(() => done(), done);
    },
  });
}
