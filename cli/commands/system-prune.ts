import { parseFilters } from '../../src/intent/filters.js';
import { defineCommand } from '../command.js';
import { confirmed } from '../confirm.js';
import { UsageError } from '../usage.js';
import { ALL_IMAGES_FLAG, deletedImages, deletedList, PRUNE_FILTER, reclaimed } from './prune-report.js';

export const command = defineCommand({
  usage: '[OPTIONS]',
  flags: [
    ALL_IMAGES_FLAG,
    PRUNE_FILTER,
    { name: 'force', short: 'f', kind: 'bool', help: 'Do not ask' },
    { name: 'volumes', kind: 'bool', help: 'Remove anonymous volumes that no container has, too' },
  ],
  min: 0,
  max: 0,
  examples: [['tsrun system prune -af', 'Remove stopped containers and every image that no container has']],
  async run(cli, { all, filter, force, volumes }) {
    const filters = parseFilters(filter, '--filter');
    if (volumes && filters.until !== undefined)
      throw new UsageError('ERROR: The "until" filter is not supported with "--volumes"', 1, {
        usage: false,
      });
    const targets = [
      'all stopped containers',
      'all networks not used by at least one container',
      ...(volumes ? ['all anonymous volumes not used by at least one container'] : []),
      all ? 'all images without at least one container associated to them' : 'all dangling images',
      all ? 'all build cache' : 'unused build cache',
    ];
    const lines = (texts: readonly string[]) => texts.map((line) => `  - ${line}\n`).join('');
    const filtered =
      filter.length === 0 ? '' : `\n  Items to be pruned will be filtered with:\n${lines(filter)}`;
    const warning = `WARNING! This will remove:\n${lines(targets)}${filtered}`;
    if (!force && !confirmed(cli, warning)) return 0;
    const engine = await cli.engine();
    const containers = await engine.pruneContainers({ filters });
    cli.out(deletedList('Deleted Containers:', containers.deleted));
    const gone = volumes ? await engine.volumes.prune({ filters }) : { deleted: [], reclaimed: 0 };
    cli.out(deletedList('Deleted Volumes:', gone.deleted));
    const images = await engine.pruneImages({ all, filters });
    cli.out(deletedImages(images.removed));
    cli.out(reclaimed(containers.reclaimed + gone.reclaimed + images.reclaimed));
    return 0;
  },
});
