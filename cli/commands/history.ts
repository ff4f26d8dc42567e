import type { HistoryRow } from '../../src/types/engine.js';
import { defineCommand } from '../command.js';
import { ellipsis } from '../render/escape.js';
import { type Field, renderListing } from '../render/listing.js';
import { humanAge, humanSize, localRfc3339 } from '../render/units.js';
import { FORMAT, NO_TRUNC } from './listing-flags.js';

const CREATED_BY_WIDTH = 45;

export const command = defineCommand({
  usage: '[OPTIONS] IMAGE',
  flags: [
    FORMAT,
    {
      name: 'human',
      short: 'H',
      kind: 'bool',
      help: 'Print sizes and dates in human readable format',
      default: true,
    },
    NO_TRUNC,
    { name: 'quiet', short: 'q', kind: 'bool', help: 'Only show image IDs' },
  ],
  min: 1,
  max: 1,
  async run(cli, flags, [image = '']) {
    const rows = await (await cli.engine()).history(image);
    cli.out(
      await renderListing({
        rows,
        fields: historyFields({ trunc: !flags['no-trunc'], human: flags.human, now: Date.now() }),
        type: '*image.historyContext',
        columns: ['ID', 'CreatedSince', 'CreatedBy', 'Size', 'Comment'],
        format: flags.format,
        quiet: flags.quiet ? 'ID' : undefined,
        terminal: cli.isTty(1),
      }),
    );
    return 0;
  },
});

export function historyFields(how: {
  trunc: boolean;
  human: boolean;
  now: number;
}): Record<string, Field<HistoryRow>> {
  const { trunc, human, now } = how;
  const createdAt = (row: HistoryRow) =>
    row.created && Date.parse(row.created) > 0 ? localRfc3339(row.created) : 'N/A';
  return {
    ID: {
      header: 'IMAGE',
      value: ({ id }) => (trunc && id.startsWith('sha256:') ? id.slice(7, 19) : id),
    },
    CreatedSince: {
      header: human ? 'CREATED' : 'CREATED AT',
      value: (row) => (human ? humanAge(row.created, now) : createdAt(row)),
    },
    CreatedAt: { header: 'CREATED AT', value: createdAt },
    CreatedBy: {
      header: 'CREATED BY',
      value: (row) => {
        const text = (row.created_by ?? '').replaceAll('\t', ' ');
        return trunc ? ellipsis(text, CREATED_BY_WIDTH) : text;
      },
    },
    Size: { header: 'SIZE', value: ({ size }) => (human ? humanSize(size) : String(size)) },
    Comment: { header: 'COMMENT', value: (row) => row.comment ?? '' },
  };
}
