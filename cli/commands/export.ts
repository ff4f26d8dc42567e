import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { defineCommand } from '../command.js';
import { cancelOnSignal } from '../terminal.js';
import { UsageError } from '../usage.js';
import { sinkStream, writeArchive } from './archive-file.js';

export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER',
  flags: [{ name: 'output', short: 'o', kind: 'string', help: 'Write to a file, instead of STDOUT' }],
  min: 1,
  max: 1,
  examples: [
    ['tsrun export -o web.tar web', "web's files as one archive, without its volumes"],
    ['tsrun export web | tar tf -', 'Just look'],
  ],
  async run(cli, flags, [container = '']) {
    if (!flags.output && cli.isTty(1))
      throw refusal('cowardly refusing to save to a terminal. Use the -o flag or redirect');
    if (flags.output) checkPath(flags.output);
    const engine = await cli.engine();
    // So that half a file is taken away again.
    const { signal, caught, done } = cancelOnSignal();
    try {
      if (flags.output)
        await writeArchive(flags.output, (output) => engine.export(container, output, { signal }));
      else await engine.export(container, sinkStream(cli.sink(1)), { signal });
      return 0;
    } catch (error) {
      const [number] = caught;
      if (number === undefined) throw error;
      return 128 + number;
    } finally {
      done();
    }
  },
});

function checkPath(path: string): void {
  const dir = dirname(path);
  if (statSync(dir, { throwIfNoEntry: false }) === undefined)
    throw refusal(`failed to export container: invalid output path: stat ${dir}: no such file or directory`);
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isDirectory()) throw refusal('failed to export container: cannot write to a directory');
}

function refusal(message: string): UsageError {
  return new UsageError(`tsrun: ${message}`, 1, { usage: false });
}
