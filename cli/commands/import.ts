import { createReadStream, statSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { reasonOf } from '../../src/errors.js';
import { defineCommand } from '../command.js';
import { escapeControls } from '../render/escape.js';
import { humanSize } from '../render/units.js';
import { cancelOnSignal } from '../terminal.js';
import { UsageError } from '../usage.js';
import { madeAt, TIMESTAMP } from './made-at.js';

export const command = defineCommand({
  usage: '[OPTIONS] file|URL|- [REPOSITORY[:TAG]]',
  flags: [
    { name: 'change', short: 'c', kind: 'list', help: 'Apply a Dockerfile instruction to the created image' },
    { name: 'message', short: 'm', kind: 'string', help: 'Set commit message for imported image' },
    { name: 'platform', kind: 'string', help: 'Platform of the image, os/arch[/variant]' },
    TIMESTAMP,
  ],
  min: 1,
  max: 2,
  examples: [
    ['tsrun export web | tsrun import - web:flat', "A container's files as an image with one layer"],
    [`tsrun import -c 'CMD ["/bin/bash"]' rootfs.tar.zst debian:mine`, 'With a command to run'],
    ['tsrun import https://example.org/rootfs.tar.xz', 'From a web server'],
  ],
  async run(cli, flags, [from = '', repository]) {
    const isUrl = /^https?:\/\//.test(from);
    const source = isUrl ? { url: from } : archiveFrom(from);
    const engine = await cli.engine();
    const cancel = cancelOnSignal();
    try {
      const id = await engine.import(source, {
        repository,
        message: flags.message,
        changes: flags.change,
        platform: flags.platform,
        timestamp: madeAt(cli, flags.timestamp),
        signal: cancel.signal,
        onDownload: (url, total) => {
          const size = total === undefined ? '' : ` (${humanSize(total)})`;
          cli.err(`${escapeControls(`Downloading from ${url}${size}`)}\n`);
        },
      });
      cli.out(`${id}\n`);
    } finally {
      cancel.done();
    }
    return 0;
  },
});

function archiveFrom(path: string): Readable {
  if (path === '-') return createReadStream('', { fd: 0, autoClose: false });
  try {
    if (statSync(path).isDirectory()) throw refusal(`read ${path}: is a directory`);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw refusal(`open ${path}: ${reasonOf(error)}`);
  }
  return createReadStream(path);
}

function refusal(message: string): UsageError {
  return new UsageError(`tsrun: ${message}`, 1, { usage: false });
}
