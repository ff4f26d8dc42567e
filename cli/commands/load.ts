import { createReadStream, statSync } from 'node:fs';
import { reasonOf } from '../../src/errors.js';
import { defineCommand } from '../command.js';
import { escapeControls } from '../render/escape.js';
import { UsageError } from '../usage.js';

export const command = defineCommand({
  usage: '[OPTIONS]',
  flags: [
    {
      name: 'input',
      short: 'i',
      kind: 'string',
      help: 'Read from a tar archive, or an OCI layout directory, instead of STDIN',
    },
    { name: 'quiet', short: 'q', kind: 'bool', help: 'Suppress the load output' },
  ],
  min: 0,
  max: 0,
  examples: [
    [
      'tsrun load -i redis.tar.zst',
      'An archive of docker save, podman save or tsrun save, compressed or not',
    ],
    ['docker save redis | tsrun load', 'From a pipe'],
  ],
  async run(cli, flags) {
    const file = flags.input;
    if (!file && cli.isTty(0))
      throw new UsageError('tsrun: requested load from stdin, but stdin is a terminal', 1, { usage: false });
    const engine = await cli.engine();
    const loaded = await engine.load(file ? source(file) : createReadStream('', { fd: 0, autoClose: false }));
    for (const { reference, imageId, previous } of loaded) {
      if (previous !== undefined)
        cli.out(
          `The image ${escapeControls(reference ?? '')} already exists, renaming the old one with ID ${previous} to empty string\n`,
        );
      cli.out(
        `${escapeControls(reference === undefined ? `Loaded image ID: ${imageId}` : `Loaded image: ${reference}`)}\n`,
      );
    }
    return 0;
  },
});

function source(file: string) {
  try {
    if (statSync(file).isDirectory()) return { dir: file };
  } catch (error) {
    throw new UsageError(`tsrun: open ${file}: ${reasonOf(error)}`, 1, { usage: false });
  }
  return createReadStream(file);
}
