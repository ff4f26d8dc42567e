import { TsrunError } from '../../src/errors.js';
import { defineCommand, forEachTarget } from '../command.js';
import { escapeControls } from '../render/escape.js';

export const command = defineCommand({
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  flags: [
    {
      name: 'force',
      short: 'f',
      kind: 'bool',
      help: 'Remove it although it has several tags or a stopped container uses it',
    },
    { name: 'no-prune', kind: 'bool', help: 'Do not delete untagged parents' },
  ],
  min: 1,
  max: Number.POSITIVE_INFINITY,
  examples: [['tsrun rmi redis:7', 'Remove one tag, and the image with its last tag']],
  async run(cli, flags, names) {
    const engine = await cli.engine();
    const remove = async (name: string) => {
      const removed = await engine.removeImage(name, { force: flags.force, noPrune: flags['no-prune'] });
      for (const item of removed)
        cli.out(
          `${escapeControls('untagged' in item ? `Untagged: ${item.untagged}` : `Deleted: ${item.deleted}`)}\n`,
        );
    };
    const isFine = (error: unknown) =>
      flags.force && error instanceof TsrunError && error.code === 'NOT_FOUND';
    return forEachTarget(cli, names, remove, isFine);
  },
});
