import { defineCommand } from '../command.js';

export const command = defineCommand({
  usage: '',
  flags: [],
  min: 0,
  max: 0,
  examples: [['tsrun system boot', 'What a unit of systemd calls when the machine has started']],
  async run(cli) {
    const engine = await cli.engine();
    let code = 0;
    for (const { name, error } of await engine.boot()) {
      if (error === undefined) cli.out(`${name}\n`);
      else {
        cli.report(error);
        code = 1;
      }
    }
    return code;
  },
});
