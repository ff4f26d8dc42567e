import { parseFilters } from '../../src/intent/filters.js';
import { defineCommand } from '../command.js';
import { confirmed } from '../confirm.js';
import { deletedList, PRUNE_FILTER, reclaimed } from './prune-report.js';

export const command = defineCommand({
  usage: '[OPTIONS]',
  flags: [PRUNE_FILTER, { name: 'force', short: 'f', kind: 'bool', help: 'Do not ask' }],
  min: 0,
  max: 0,
  examples: [['tsrun container prune -f', 'Remove every container that does not run']],
  async run(cli, flags) {
    const filters = parseFilters(flags.filter, '--filter');
    if (!flags.force && !confirmed(cli, 'WARNING! This will remove all stopped containers.')) return 0;
    const result = await (await cli.engine()).pruneContainers({ filters });
    cli.out(deletedList('Deleted Containers:', result.deleted) + reclaimed(result.reclaimed));
    return 0;
  },
});
