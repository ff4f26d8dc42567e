/** Docker's tables: columns as wide as their widest cell + 3 blanks, 10 at least, the last one not padded. */
import { escapeControls } from './escape.js';

const PADDING = 3;
const MIN_WIDTH = 10;

function widthOf(text: string): number {
  let width = 0;
  for (const _ of text) width += 1;
  return width;
}

/** Lines of cells (the header is one of them); ends with a newline. Cells are escaped here. */
export function renderTable(rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map(escapeControls));
  const widths: number[] = [];
  for (const row of cells)
    row.slice(0, -1).forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? MIN_WIDTH, widthOf(cell) + PADDING);
    });
  return cells
    .map((row) => {
      const padded = row.map((cell, column) =>
        column === row.length - 1 ? cell : cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell)),
      );
      return `${padded.join('')}\n`;
    })
    .join('');
}
