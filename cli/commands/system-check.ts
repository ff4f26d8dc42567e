import type { StoreCheck, StoreDamage } from '../../src/types/engine.js';
import { defineCommand } from '../command.js';
import { escapeControls } from '../render/escape.js';
import { renderListing } from '../render/listing.js';

export const command = defineCommand({
  usage: '[OPTIONS]',
  flags: [
    { name: 'format', kind: 'string', help: "'json' or a Go template, for each damage" },
    {
      name: 'full',
      kind: 'bool',
      help: 'Read everything: hash every blob, compare every layer with its blob',
    },
    { name: 'quiet', short: 'q', kind: 'bool', help: 'Print nothing: the exit code tells' },
    {
      name: 'repair',
      kind: 'bool',
      help: 'Mend what is damaged, or take it away so that a pull brings it back',
    },
  ],
  min: 0,
  max: 0,
  examples: [
    ['tsrun system check --full', 'After a disk has failed: is every byte what it was?'],
    ['tsrun system check --repair', 'Mend the store; exit code 1 if something is left to do'],
  ],
  async run(cli, { format, full, quiet, repair }) {
    const result = await (await cli.engine()).check({ full, repair });
    if (!quiet) cli.out(format === undefined ? report(result, repair) : await listed(result, format));
    return result.damages.every(({ mended }) => mended) ? 0 : 1;
  },
});

async function listed(result: StoreCheck, format: string): Promise<string> {
  if (format === 'json') return `${JSON.stringify(result)}\n`;
  return await renderListing({
    rows: result.damages,
    fields: {
      Affects: { header: 'AFFECTS', value: ({ affects }) => affects.join(',') },
      Hint: { header: 'HINT', value: ({ hint }) => hint ?? '' },
      Kind: { header: 'KIND', value: ({ kind }) => kind },
      Mended: { header: 'MENDED', value: ({ mended }) => String(mended) },
      Problem: { header: 'PROBLEM', value: ({ problem }) => problem },
      Repair: { header: 'REPAIR', value: ({ repair }) => repair ?? '' },
      Subject: { header: 'SUBJECT', value: ({ subject }) => subject },
    },
    type: '*formatter.checkContext',
    columns: ['Kind', 'Subject', 'Problem', 'Affects', 'Mended'],
    format,
    terminal: false,
  });
}

function report({ checked, swept, damages }: StoreCheck, repaired: boolean): string {
  const open = damages.filter(({ mended }) => !mended);
  const { images, layers, blobs, containers, volumes } = checked;
  const lines = [
    ...swept.map((what) => `swept: ${what}`),
    ...damages.flatMap((damage) => linesOf(damage, repaired)),
    `${images} images, ${layers} layers, ${blobs} blobs, ${containers} containers, ${volumes} volumes: ` +
      (damages.length === 0
        ? 'no damage'
        : `${damages.length} damaged, ${damages.length - open.length} mended`),
    ...(repaired || !damages.some(({ repair }) => repair)
      ? []
      : ['tsrun system check --repair mends what it can']),
  ];
  return lines.map((line) => `${escapeControls(line)}\n`).join('');
}

function linesOf(
  { kind, subject, problem, affects, repair, mended, hint }: StoreDamage,
  repaired: boolean,
): string[] {
  const users = affects.length > 0 ? ` (${affects.join(', ')})` : '';
  const remedy =
    repair === undefined
      ? 'not mended'
      : mended
        ? `mended: ${repair}`
        : repaired
          ? `not mended: ${repair}`
          : `a repair ${repair}`;
  return [
    `${kind} ${subject}${users}: ${problem}`,
    `  ${[remedy, ...(hint === undefined ? [] : [hint])].join('; ')}`,
  ];
}
