/** The left side: one line per layer, and what is known of the selected one. */
import type { ChangeCount, ExploredLayer } from '../../src/types/explore.js';
import { escapeControls } from '../render/escape.js';
import { humanAge, humanSize } from '../render/units.js';
import { toWidth, wrap } from '../render/width.js';
import type { Explorer } from './explorer.js';
import { instructionOf } from './instruction.js';
import { barOf, type Colour, type Style, type Theme } from './style.js';

const BAR = 8;

export function layerLine(
  explorer: Explorer,
  index: number,
  { width, digits }: { width: number; digits: number },
  { paint, glyphs }: Theme,
): string {
  const { image, layers, pane } = explorer;
  const layer = image.layers[index];
  if (layer === undefined) return ' '.repeat(width);
  const selected = index === layers.at;
  const largest = Math.max(...image.layers.map(({ size }) => size), 1);
  const number = `${selected ? glyphs.selected : ' '} ${String(index + 1).padStart(digits)} `;
  const size = humanSize(layer.size).padStart(7);
  const bar = ` ${barOf(glyphs, layer.size / largest, BAR)} `;
  const text = instructionOf(layer.createdBy, layer.comment);
  const room = width - number.length - size.length - [...bar].length - 1;
  const name = `${toWidth(escapeControls(text), room, glyphs.more)} `;
  if (selected && pane === 'layers') return paint(number + size + bar + name, { inverse: true });
  const style: Style = selected ? { bold: true } : {};
  return paint(number + size, style) + paint(bar, { colour: 'blue' }) + paint(name, style);
}

export function detailLines(explorer: Explorer, width: number, height: number, theme: Theme): string[] {
  const { paint, glyphs } = theme;
  const lines = [paint(glyphs.line.repeat(width), { dim: true })];
  const { layer } = explorer;
  if (layer !== undefined) {
    const facts = factsOf(layer, width, theme);
    const room = Math.max(1, height - 1 - facts.length - 1);
    const text = escapeControls(instructionOf(layer.createdBy, layer.comment));
    for (const line of wrap(text, width - 2, room, glyphs.more))
      lines.push(paint(` ${toWidth(line, width - 1, glyphs.more)}`, { bold: true }));
    if (height - lines.length > facts.length) lines.push(' '.repeat(width));
    lines.push(...facts);
  }
  while (lines.length < height) lines.push(' '.repeat(width));
  return lines.slice(0, height);
}

function factsOf(layer: ExploredLayer, width: number, { paint, glyphs }: Theme): string[] {
  const line = (title: string, text: string, colour?: Colour) =>
    paint(` ${title.padEnd(10)}`, { dim: true }) +
    paint(toWidth(text, width - 11, glyphs.more), colour ? { colour } : {});
  const counted = ({ entries, bytes }: ChangeCount) =>
    entries === 0 ? '0' : `${entries.toLocaleString('en')} (${humanSize(bytes)})`;
  const colourOf = (count: ChangeCount, colour: Colour) => (count.entries > 0 ? colour : undefined);
  const { added, changed, removed } = layer;
  return [
    line('size', `${humanSize(layer.size)}, as a blob ${humanSize(layer.blobSize)}`),
    line('added', counted(added), colourOf(added, 'green')),
    line('changed', counted(changed), colourOf(changed, 'yellow')),
    line('removed', counted(removed), colourOf(removed, 'red')),
    line('hides', layer.hides === 0 ? '0' : `${humanSize(layer.hides)} of layers below`),
    line(
      'wasted',
      layer.wasted === 0 ? '0' : `${humanSize(layer.wasted)} hidden by layers above`,
      layer.wasted > 0 ? 'magenta' : undefined,
    ),
    line('created', escapeControls(humanAge(layer.created, Date.now()))),
    line('diff id', layer.diffId.slice('sha256:'.length)),
  ];
}
