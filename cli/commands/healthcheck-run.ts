import { defineCommand } from '../command.js';

/** What keeps the check from running must not be taken for its answer. */
const NOT_RUN = 125;

export const command = defineCommand({
  usage: 'CONTAINER',
  flags: [],
  min: 1,
  max: 1,
  examples: [['tsrun healthcheck run web || tsrun restart web', 'Start it again unless it is healthy']],
  async run(cli, _flags, [container = '']) {
    try {
      if (await (await cli.engine()).healthcheck(container)) return 0;
    } catch (error) {
      cli.report(error);
      return NOT_RUN;
    }
    cli.out('unhealthy\n');
    return 1;
  },
});
