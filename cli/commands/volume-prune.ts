import { parseFilters } from '../../src/intent/filters.js';
import { defineCommand } from '../command.js';
import { confirmed } from '../confirm.js';
import { deletedList, reclaimed } from './prune-report.js';

export const command = defineCommand({
  usage: '[OPTIONS]',
  flags: [
    { name: 'all', short: 'a', kind: 'bool', help: 'Remove all unused volumes, not just anonymous ones' },
    { name: 'filter', kind: 'list', help: 'Only what matches: label=KEY[=VALUE], label!=KEY[=VALUE]' },
    { name: 'force', short: 'f', kind: 'bool', help: 'Do not ask' },
  ],
  min: 0,
  max: 0,
  examples: [['tsrun volume prune -af', 'Remove every volume that no container has']],
  async run(cli, flags) {
    const what = flags.all ? 'all local volumes' : 'anonymous local volumes';
    const warning = `WARNING! This will remove ${what} not used by at least one container.`;
    const filters = parseFilters(flags.filter, '--filter');
    if (!flags.force && !confirmed(cli, warning)) return 0;
    const result = await (await cli.engine()).volumes.prune({ all: flags.all, filters });
    cli.out(deletedList('Deleted Volumes:', result.deleted) + reclaimed(result.reclaimed));
    return 0;
  },
});
