import { defineCommand, forEachTarget } from '../command.js';

export const command = defineCommand({
  usage: '[OPTIONS] VOLUME [VOLUME...]',
  flags: [{ name: 'force', short: 'f', kind: 'bool', help: 'No error for a volume that does not exist' }],
  min: 1,
  max: Number.POSITIVE_INFINITY,
  examples: [['tsrun volume rm data', 'Remove data with its content, if no container has it']],
  async run(cli, { force }, names) {
    const engine = await cli.engine();
    return forEachTarget(cli, names, async (name) => {
      await engine.volumes.remove(name, { force });
      cli.out(`${name}\n`);
    });
  },
});
