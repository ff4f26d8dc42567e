import { defineCommand } from '../command.js';
import { escapeControls } from '../render/escape.js';

/** Docker's columns: at least 20 wide, three blanks between; the last one is as long as it is. */
const LEAST = 20;
const GAP = 3;

export const command = defineCommand({
  usage: 'CONTAINER [ps OPTIONS]',
  flags: [],
  min: 1,
  max: Number.POSITIVE_INFINITY,
  interspersed: false,
  examples: [['tsrun top web -o pid,rss,args', 'What the processes of web use']],
  async run(cli, _flags, [container = '', ...psArgs]) {
    const { titles, processes } = await (await cli.engine()).top(container, psArgs);
    const rows = [titles, ...processes].map((row) => row.map(escapeControls));
    const widths = titles.map((_, i) => Math.max(LEAST, ...rows.map((row) => (row[i] ?? '').length + GAP)));
    const line = (row: string[]) =>
      row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0))).join('');
    cli.out(rows.map((row) => `${line(row)}\n`).join(''));
    return 0;
  },
});
