import { parseFilters } from '../../src/intent/filters.js';
import { defineCommand } from '../command.js';
import { confirmed } from '../confirm.js';
import { ALL_IMAGES_FLAG, deletedImages, PRUNE_FILTER, reclaimed } from './prune-report.js';

export const command = defineCommand({
  usage: '[OPTIONS]',
  flags: [ALL_IMAGES_FLAG, PRUNE_FILTER, { name: 'force', short: 'f', kind: 'bool', help: 'Do not ask' }],
  min: 0,
  max: 0,
  examples: [['tsrun image prune -af --filter until=240h', 'Remove unused images older than ten days']],
  async run(cli, { all, filter, force }) {
    const filters = parseFilters(filter, '--filter');
    const what = all ? 'images without at least one container associated to them' : 'dangling images';
    if (!force && !confirmed(cli, `WARNING! This will remove all ${what}.`)) return 0;
    const images = await (await cli.engine()).pruneImages({ all, filters });
    cli.out(deletedImages(images.removed) + reclaimed(images.reclaimed));
    return 0;
  },
});
