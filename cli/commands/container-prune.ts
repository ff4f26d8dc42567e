import { parseFilters } from '../../src/intent/filters.js';
import { defineCommand } from '../command.js';
import { confirmed } from '../confirm.js';
import { deletedList, reclaimed } from './prune-report.js';

export const command = defineCommand({
  usage: '[OPTIONS]',
  flags: [
    { name: 'filter', kind: 'list', help: 'Only what matches: label=KEY[=VALUE], label!=KEY[=VALUE]' },
    { name: 'force', short: 'f', kind: 'bool', help: 'Do not ask' },
  ],
  min: 0,
  max: 0,
  examples: [['tsrun container prune -f', 'Remove every container that does not run']],
  async run(cli, flags) {
    const sure = flags.force || confirmed(cli, 'WARNING! This will remove all stopped containers.');
    const engine = await cli.engine();
    const filters = parseFilters(flags.filter, '--filter');
    const result = sure ? await engine.pruneContainers({ filters }) : { deleted: [], reclaimed: 0 };
    cli.out(deletedList('Deleted Containers:', result.deleted) + reclaimed(result.reclaimed));
    return 0;
  },
});
