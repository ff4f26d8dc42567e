/** The exploration of an image as text, for where there is no terminal, and as JSON. */
import type { ExploredNode, ImageExploration } from '../../src/types/explore.js';
import { escapeControls } from '../render/escape.js';
import { renderTable } from '../render/table.js';
import { humanSize } from '../render/units.js';
import { toWidth } from '../render/width.js';
import { instructionOf } from './instruction.js';

const FILES = 10;
const INSTRUCTION = 60;

/** Nothing is cut where `columns` is not known: it is a file, or another program reads it. */
export function summaryOf(image: ImageExploration, columns?: number): string {
  const { layers, size, wasted } = image;
  const head = [
    `Image:   ${escapeControls([image.tags[0], image.id].filter(Boolean).join(' '))}`,
    `Layers:  ${layers.length}, ${humanSize(size)}`,
    `Wasted:  ${humanSize(wasted)} (${seenShare(image)} of the bytes can be seen)`,
  ];
  return `${[head.join('\n'), layerTable(image, columns), fileTable(image), wasteTable(image)].filter(Boolean).join('\n\n')}\n`;
}

/** Of all bytes those that a container of the image can read: "99.1%". */
export function seenShare({ size, wasted }: ImageExploration): string {
  return `${size === 0 ? 100 : Math.floor(((size - wasted) / size) * 1000) / 10}%`;
}

function layerTable({ layers }: ImageExploration, columns: number | undefined): string {
  const rows = layers.map((layer, index) => {
    const text = escapeControls(instructionOf(layer.createdBy, layer.comment));
    return [
      String(index + 1),
      humanSize(layer.size),
      String(layer.added.entries),
      String(layer.changed.entries),
      String(layer.removed.entries),
      humanSize(layer.wasted),
      columns === undefined ? text : toWidth(text, Math.max(INSTRUCTION, columns - 60)).trimEnd(),
    ];
  });
  return renderTable([
    ['LAYER', 'SIZE', 'ADDED', 'CHANGED', 'REMOVED', 'WASTED', 'CREATED BY'],
    ...rows,
  ]).trimEnd();
}

interface BigFile {
  path: string;
  size: number;
  layer: number;
}

function fileTable({ layers }: ImageExploration): string {
  const files = layers
    .flatMap(({ tree }, layer) => biggest(tree, layer))
    .sort((a, b) => b.size - a.size || (a.path < b.path ? -1 : 1))
    .slice(0, FILES);
  if (files.length === 0) return '';
  const rows = files.map(({ size, layer, path }) => [
    humanSize(size),
    String(layer + 1),
    escapeControls(path),
  ]);
  return renderTable([['SIZE', 'LAYER', 'BIGGEST FILES'], ...rows]).trimEnd();
}

/** The largest files of one layer, without a list of all of them. */
function biggest(tree: readonly ExploredNode[], layer: number): BigFile[] {
  const found: BigFile[] = [];
  const visit = (nodes: readonly ExploredNode[], parent: string) => {
    for (const node of nodes) {
      const path = `${parent}/${node.name}`;
      if (node.children) visit(node.children, path);
      else if (node.size > 0 && (found.length < FILES || node.size > (found.at(-1)?.size ?? 0))) {
        found.push({ path, size: node.size, layer });
        found.sort((a, b) => b.size - a.size);
        found.length = Math.min(found.length, FILES);
      }
    }
  };
  visit(tree, '');
  return found;
}

function wasteTable({ waste }: ImageExploration): string {
  if (waste.length === 0) return '';
  const rows = waste.slice(0, FILES).map(({ path, bytes, copies }) => {
    const where = copies.map(
      ({ layer, hiddenBy, removed }) => `${layer + 1} ${removed ? 'removed' : 'replaced'} by ${hiddenBy + 1}`,
    );
    return [humanSize(bytes), where.join(', '), escapeControls(path)];
  });
  const rest = waste.length - FILES;
  const more = rest > 0 ? `\n(and ${rest} more ${rest === 1 ? 'path' : 'paths'})` : '';
  return renderTable([['WASTED', 'LAYER', 'PATH'], ...rows]).trimEnd() + more;
}

/** ImageExploration on one line. What reorders text or controls a terminal is escaped, as JSON allows. */
export function jsonOf(image: ImageExploration): string {
  const text = JSON.stringify(image);
  const escaped = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return `${text.replace(/[\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, escaped)}\n`;
}
