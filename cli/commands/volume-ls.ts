import { parseFilters } from '../../src/intent/filters.js';
import type { VolumeInspect } from '../../src/types/engine.js';
import { defineCommand } from '../command.js';
import { type Field, renderListing } from '../render/listing.js';
import { FILTER, FORMAT } from './listing-flags.js';

export const command = defineCommand({
  usage: '[OPTIONS]',
  flags: [FILTER, FORMAT, { name: 'quiet', short: 'q', kind: 'bool', help: 'Only display volume names' }],
  min: 0,
  max: 0,
  examples: [['tsrun volume ls -qf dangling=true', 'Names of the volumes that no container has']],
  async run(cli, flags) {
    const engine = await cli.engine();
    const rows = await engine.volumes.list({ filters: parseFilters(flags.filter) });
    cli.out(
      await renderListing({
        rows,
        fields: FIELDS,
        methods: {
          Label: { header: (key) => key, value: ({ Labels }, key) => Labels?.[key] ?? '' },
        },
        type: '*formatter.volumeContext',
        columns: ['Driver', 'Name'],
        format: flags.format,
        quiet: flags.quiet ? 'Name' : undefined,
        terminal: cli.isTty(1),
      }),
    );
    return 0;
  },
});

const unknown = (header: string): Field<VolumeInspect> => ({ header, value: () => 'N/A' });

const FIELDS: Record<string, Field<VolumeInspect>> = {
  Availability: unknown('AVAILABILITY'),
  Driver: { header: 'DRIVER', value: ({ Driver }) => Driver },
  Group: unknown('GROUP'),
  Labels: {
    header: 'LABELS',
    value: ({ Labels }) =>
      Object.entries(Labels ?? {})
        .map(([key, value]) => `${key}=${value}`)
        .join(','),
  },
  Links: unknown('LINKS'),
  Mountpoint: { header: 'MOUNTPOINT', value: ({ Mountpoint }) => Mountpoint },
  Name: { header: 'VOLUME NAME', value: ({ Name }) => Name },
  Scope: { header: 'SCOPE', value: ({ Scope }) => Scope },
  Size: unknown('SIZE'),
  Status: unknown('STATUS'),
};
