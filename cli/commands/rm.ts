import { TsrunError } from '../../src/errors.js';
import { defineCommand, forAllTargets } from '../command.js';

export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  flags: [
    { name: 'force', short: 'f', kind: 'bool', help: 'Kill the container first if it runs' },
    { name: 'volumes', short: 'v', kind: 'bool', help: 'Remove its anonymous volumes too' },
  ],
  min: 1,
  max: Number.POSITIVE_INFINITY,
  examples: [['tsrun rm -f web', 'Kill and remove the container web']],
  async run(cli, { force, volumes }, names) {
    const engine = await cli.engine();
    const remove = (name: string) => engine.remove(name, { force, volumes });
    return forAllTargets(cli, names, remove, (error) => force && isMissing(error));
  },
});

function isMissing(error: unknown): boolean {
  return error instanceof TsrunError && error.code === 'NOT_FOUND';
}
