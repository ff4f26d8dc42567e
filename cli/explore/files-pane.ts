/** The right side: the tree of files, or the paths whose bytes are wasted. */
import type { ExploredNode, WastedPath } from '../../src/types/explore.js';
import { escapeControls } from '../render/escape.js';
import { humanSize } from '../render/units.js';
import { displayWidth, toWidth } from '../render/width.js';
import type { Explorer } from './explorer.js';
import { COLOURS, MARKS, modeText, type Style, type Theme } from './style.js';
import type { Row } from './tree-rows.js';

/** Columns of the size, and of mode and owner, which need a wide screen. */
const SIZE = 8;
const OWNER = 10;
const WIDE = 66;
/** Of the layers that have copies, and those that hide them. */
const COPIES = 8;

export function filesTitle(explorer: Explorer, { glyphs }: Theme): { title: string; note: string } {
  const { view, layers, length } = explorer;
  const number = layers.at + 1;
  const titles = {
    layer: `LAYER ${number}`,
    all: `ALL FILES UP TO LAYER ${number}`,
    waste: 'WASTED SPACE',
  };
  const notes: string[] = [];
  if (explorer.search !== '' && !explorer.typing) notes.push(`/${escapeControls(explorer.search)}`);
  if (view !== 'waste' && explorer.hidden.length > 0)
    notes.push(`without ${explorer.hidden.map((change) => `${MARKS[change].trim()}${change}`).join(', ')}`);
  if (explorer.bySize && view !== 'waste') notes.push('by size');
  if (view === 'waste') notes.push(`${length} path${length === 1 ? '' : 's'}`);
  return { title: titles[view], note: notes.join(` ${glyphs.dot} `) };
}

export function fileLines(explorer: Explorer, width: number, height: number, theme: Theme): string[] {
  const { files, pane, view, length } = explorer;
  const lines: string[] = [];
  for (let i = files.top; i < Math.min(length, files.top + height); i++) {
    const selected = i === files.at && pane === 'files';
    const line =
      view === 'waste' ? wasteParts(explorer.waste[i], theme) : rowParts(explorer.rows[i], width, theme);
    lines.push(drawParts(line, width, selected, theme));
  }
  if (length === 0) lines.push(drawParts([[`  ${emptyText(explorer)}`, { dim: true }]], width, false, theme));
  while (lines.length < height) lines.push(' '.repeat(width));
  return lines;
}

function emptyText({ view, search, hidden }: Explorer): string {
  if (search !== '') return 'nothing is called so';
  if (view === 'waste') return 'nothing: every byte of every layer can be seen';
  return hidden.length === 0 ? 'this layer has no files' : 'nothing of that kind';
}

type Part = readonly [text: string, style: Style];

/** The parts one after the other, the last one cut where the line ends. */
function drawParts(
  parts: readonly Part[],
  width: number,
  selected: boolean,
  { paint, glyphs }: Theme,
): string {
  if (selected)
    return paint(toWidth(parts.map(([text]) => text).join(''), width, glyphs.more), { inverse: true });
  let line = '';
  let room = width;
  for (const [text, style] of parts) {
    const used = Math.min(room, displayWidth(text));
    line += paint(toWidth(text, used, glyphs.more), style);
    room -= used;
    if (room === 0) break;
  }
  return line + ' '.repeat(room);
}

function rowParts(row: Row | undefined, width: number, { glyphs }: Theme): Part[] {
  if (row === undefined) return [];
  const { node, more, open } = row;
  const parts: Part[] = [];
  if (width >= WIDE) {
    const owner = `${node.uid}:${node.gid}`;
    parts.push([` ${modeText(node.type, node.mode)} ${toWidth(owner, OWNER, glyphs.more)}`, { dim: true }]);
  }
  const colour = COLOURS[node.change];
  parts.push([`${sizeText(node).padStart(SIZE)} ${MARKS[node.change]} `, { colour }]);
  const guides = more.slice(1, -1).map((goesOn) => (goesOn ? glyphs.pass : '  '));
  if (more.length > 1) guides.push(more.at(-1) ? glyphs.branch : glyphs.last);
  const fold = open === undefined ? '  ' : `${open ? glyphs.open : glyphs.closed} `;
  parts.push([guides.join('') + fold, { dim: true }]);
  parts.push([nameText(node, glyphs.arrow), { colour, bold: node.type === 'directory' }]);
  parts.push([noteText(node), { dim: true }]);
  return parts;
}

function sizeText(node: ExploredNode): string {
  if (node.change === 'removed') return node.hides ? `-${humanSize(node.hides)}` : '';
  if (node.hardLink) return '=';
  return node.type === 'file' || (node.type === 'directory' && node.size > 0) ? humanSize(node.size) : '';
}

function nameText(node: ExploredNode, arrow: string): string {
  const name = escapeControls(node.name) + (node.type === 'directory' ? '/' : '');
  return node.type === 'symlink' ? `${name} ${arrow} ${escapeControls(node.target ?? '')}` : name;
}

/** What a colour cannot say. */
function noteText(node: ExploredNode): string {
  const notes: string[] = [];
  const { was } = node;
  if (node.change === 'changed' && was !== undefined) {
    const differs = node.differs ?? [];
    if (differs.includes('type')) notes.push(`was a ${was.type}`);
    if (differs.includes('size')) notes.push(`was ${humanSize(was.size)}`);
    if (differs.includes('mode')) notes.push(`was ${modeText(was.type, was.mode)}`);
    if (differs.includes('owner')) notes.push(`was ${was.uid}:${was.gid}`);
    if (differs.includes('attributes')) notes.push('other attributes');
    if (differs.length === 0 && node.type === 'file') notes.push('written again as it was');
  }
  if (node.change === 'removed' && was !== undefined) notes.push(`of layer ${was.layer + 1}`);
  if (node.hiddenBy !== undefined) notes.push(`hidden by layer ${node.hiddenBy + 1}`);
  return notes.length === 0 ? '' : `  ${notes.join(', ')}`;
}

function wasteParts(wasted: WastedPath | undefined, { glyphs }: Theme): Part[] {
  if (wasted === undefined) return [];
  const copies = wasted.copies.map(
    ({ layer, hiddenBy, removed }) => `${layer + 1}${removed ? ' - ' : glyphs.arrow}${hiddenBy + 1}`,
  );
  return [
    [`${humanSize(wasted.bytes).padStart(SIZE)}   `, { colour: 'magenta' }],
    [`${copies.join(' ').padEnd(COPIES)} `, { dim: true }],
    [escapeControls(wasted.path), {}],
  ];
}
