import { defineCommand } from '../command.js';
import { confirmed } from '../confirm.js';
import { deletedList, reclaimed } from './prune-report.js';

export const command = defineCommand({
  usage: '[OPTIONS]',
  flags: [
    {
      name: 'all',
      short: 'a',
      kind: 'bool',
      help: 'Remove all unused images, not just those without a name',
    },
    { name: 'force', short: 'f', kind: 'bool', help: 'Do not ask' },
    { name: 'volumes', kind: 'bool', help: 'Remove anonymous volumes that no container has, too' },
  ],
  min: 0,
  max: 0,
  examples: [['tsrun system prune -af', 'Remove stopped containers and every image that no container has']],
  async run(cli, { all, force, volumes }) {
    const targets = [
      'all stopped containers',
      'all networks not used by at least one container',
      ...(volumes ? ['all anonymous volumes not used by at least one container'] : []),
      all ? 'all images without at least one container associated to them' : 'all dangling images',
      all ? 'all build cache' : 'unused build cache',
    ];
    const warning = `WARNING! This will remove:\n${targets.map((line) => `  - ${line}\n`).join('')}`;
    if (!force && !confirmed(cli, warning)) return 0;
    const engine = await cli.engine();
    const containers = await engine.pruneContainers();
    cli.out(deletedList('Deleted Containers:', containers.deleted));
    const gone = volumes ? await engine.volumes.prune() : { deleted: [], reclaimed: 0 };
    cli.out(deletedList('Deleted Volumes:', gone.deleted));
    const images = await engine.pruneImages({ all });
    const lines = images.removed.map((item) =>
      'untagged' in item ? `untagged: ${item.untagged}` : `deleted: ${item.deleted}`,
    );
    cli.out(deletedList('Deleted Images:', lines));
    cli.out(reclaimed(containers.reclaimed + gone.reclaimed + images.reclaimed));
    return 0;
  },
});
