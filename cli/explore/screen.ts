/** The explorer's screen, line by line: title, layers and what is selected on the left, files on the right, keys below. */
import { escapeControls } from '../render/escape.js';
import { humanSize } from '../render/units.js';
import { displayWidth, toWidth } from '../render/width.js';
import type { Explorer } from './explorer.js';
import { fileLines, filesTitle } from './files-pane.js';
import { helpLines } from './help.js';
import { detailLines, layerLine } from './layers-pane.js';
import type { Theme } from './style.js';
import { seenShare } from './summary.js';

export interface Size {
  rows: number;
  cols: number;
}

/** Narrower, one side at a time is shown. */
const TWO_SIDES = 80;
const SMALLEST: Size = { rows: 6, cols: 24 };
/** Lines about the selected layer, below the list. */
const DETAILS = 13;

/** Exactly `size.rows` lines of `size.cols` columns. Tells the explorer how long its lists are. */
export function drawScreen(explorer: Explorer, size: Size, theme: Theme): string[] {
  const { rows, cols } = size;
  if (rows < SMALLEST.rows || cols < SMALLEST.cols)
    return Array.from({ length: rows }, (_, i) => toWidth(i === 0 ? 'the terminal is too small' : '', cols));
  const height = rows - 2;
  const both = cols >= TWO_SIDES;
  const left = both ? Math.max(38, Math.min(64, Math.floor(cols * 0.42))) : cols;
  const right = both ? cols - left - 1 : cols;
  const details = detailHeight(height, explorer.image.layers.length);
  explorer.heights = { layers: height - 1 - details, files: height - 1 };
  explorer.settle();
  const middle = explorer.help
    ? helpLines(cols, height, theme)
    : both
      ? joined(
          leftSide(explorer, left, height, details, theme),
          rightSide(explorer, right, height, theme),
          theme,
        )
      : explorer.pane === 'layers'
        ? leftSide(explorer, left, height, details, theme)
        : rightSide(explorer, right, height, theme);
  return [titleLine(explorer, cols, theme), ...middle, bottomLine(explorer, cols, theme)];
}

function detailHeight(height: number, layers: number): number {
  const room = height - 1 - Math.min(layers, Math.max(3, Math.floor(height / 3)));
  return room < 5 ? 0 : Math.min(DETAILS, room);
}

function joined(left: string[], right: string[], { paint, glyphs }: Theme): string[] {
  const bar = paint(glyphs.bar, { dim: true });
  return left.map((line, i) => line + bar + (right[i] ?? ''));
}

function titleLine({ image }: Explorer, cols: number, { paint, glyphs }: Theme): string {
  const name = image.tags[0] ?? image.id.slice('sha256:'.length, 'sha256:'.length + 12);
  const dot = ` ${glyphs.dot} `;
  const { length } = image.layers;
  const facts = [
    `${length} layer${length === 1 ? '' : 's'}`,
    humanSize(image.size),
    `${humanSize(image.wasted)} wasted`,
    `${seenShare(image)} seen`,
    `${image.os}/${image.architecture}`,
  ];
  const text = ` ${escapeControls(name)}  ${escapeControls(facts.join(dot))}`;
  return paint(toWidth(text, cols, glyphs.more), { inverse: true, bold: true });
}

function leftSide(
  explorer: Explorer,
  width: number,
  height: number,
  details: number,
  theme: Theme,
): string[] {
  const { layers, heights, image } = explorer;
  const lines = [heading('LAYERS', '', explorer.pane === 'layers', width, theme)];
  const digits = String(image.layers.length).length;
  for (let i = layers.top; i < layers.top + heights.layers; i++)
    lines.push(layerLine(explorer, i, { width, digits }, theme));
  if (details > 0) lines.push(...detailLines(explorer, width, details, theme));
  return lines.slice(0, height);
}

function rightSide(explorer: Explorer, width: number, height: number, theme: Theme): string[] {
  const { title, note } = filesTitle(explorer, theme);
  return [
    heading(title, note, explorer.pane === 'files', width, theme),
    ...fileLines(explorer, width, height - 1, theme),
  ];
}

function heading(
  title: string,
  note: string,
  focused: boolean,
  width: number,
  { paint, glyphs }: Theme,
): string {
  const room = width - displayWidth(title) - 2;
  const right = note === '' || room < displayWidth(note) ? '' : note;
  const text = ` ${toWidth(title, width - 2 - displayWidth(right), glyphs.more)}`;
  return (
    paint(text, focused ? { bold: true, colour: 'cyan' } : { bold: true, dim: true }) +
    paint(`${right} `, { dim: true })
  );
}

function bottomLine(explorer: Explorer, cols: number, { paint, glyphs }: Theme): string {
  if (explorer.typing) {
    const text = ` / ${escapeControls(explorer.search)}`;
    const used = Math.min(displayWidth(text), cols - 1);
    return toWidth(text, used, glyphs.more) + paint(' ', { inverse: true }) + ' '.repeat(cols - used - 1);
  }
  const hints = [
    `${glyphs.upDown} move`,
    'tab side',
    `${glyphs.enter} fold`,
    '/ find',
    'a c r u filter',
    'v view',
    's sort',
    '? help',
    'q quit',
  ];
  return paint(toWidth(` ${hints.join('  ')}`, cols, glyphs.more), { dim: true });
}
