import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Writable } from 'node:stream';
import { defineCommand } from '../command.js';
import { UsageError } from '../usage.js';
import { sinkStream, writeArchive } from './archive-file.js';

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
    else await engine.save(images, sinkStream(cli.sink(1)));
    return 0;
  },
});

async function toFile(path: string, write: (output: Writable) => Promise<void>): Promise<void> {
  if (!statSync(dirname(path), { throwIfNoEntry: false })?.isDirectory())
    throw new UsageError(
      `tsrun: failed to save image: invalid output path: stat ${dirname(path)}: no such file or directory`,
      1,
      { usage: false },
    );
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory())
    throw new UsageError(`tsrun: failed to save image: invalid output path: "${path}" is a directory`, 1, {
      usage: false,
    });
  await writeArchive(path, write);
}
