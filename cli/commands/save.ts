import { createWriteStream, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { Writable } from 'node:stream';
import { defineCommand } from '../command.js';
import type { Sink } from '../output.js';
import { UsageError } from '../usage.js';

export const command = defineCommand({
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  flags: [{ name: 'output', short: 'o', kind: 'string', help: 'Write to a file, instead of STDOUT' }],
  min: 1,
  max: Number.POSITIVE_INFINITY,
  examples: [['tsrun save -o redis.tar redis:7', 'One tar that docker, podman, skopeo and tsrun load']],
  async run(cli, flags, images) {
    const engine = await cli.engine();
    if (flags.output) await toFile(flags.output, (output) => engine.save(images, output));
    else if (cli.isTty(1))
      throw new UsageError('tsrun: cowardly refusing to save to a terminal. Use the -o flag or redirect', 1, {
        usage: false,
      });
    else await engine.save(images, toSink(cli.sink(1)));
    return 0;
  },
});

/** The file appears under its name only when it is whole. */
async function toFile(path: string, write: (output: Writable) => Promise<void>): Promise<void> {
  const target = statSync(path, { throwIfNoEntry: false });
  if (!statSync(dirname(path), { throwIfNoEntry: false })?.isDirectory())
    throw new UsageError(
      `tsrun: failed to save image: invalid output path: stat ${dirname(path)}: no such file or directory`,
      1,
      { usage: false },
    );
  if (target?.isDirectory())
    throw new UsageError(`tsrun: failed to save image: invalid output path: "${path}" is a directory`, 1, {
      usage: false,
    });
  // A device or a FIFO is written to, never replaced.
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

function toSink(sink: Sink): Writable {
  return new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      sink.write(chunk).then(() => done(), done);
    },
  });
}
