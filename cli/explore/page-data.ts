/** What the page carries: names and texts that are safe to show, trees as short arrays. */
import type { ExploredNode, ImageExploration } from '../../src/types/explore.js';
import { escapeControls } from '../render/escape.js';
import { instructionOf } from './instruction.js';
import { modeText } from './style.js';

const CHANGES = ['unchanged', 'added', 'changed', 'removed'] as const;
/** Wasted paths beyond these are counted, not listed. */
const MOST_WASTE = 1000;

/** What few nodes have: target of a link, bytes hidden below, layer that hides it, note, hard link, bytes of its name. */
export interface PageExtras {
  t?: string;
  h?: number;
  b?: number;
  n?: string;
  l?: 1;
  x?: string;
}

/** name, type as in `ls`, index of the change, mode, owner, bytes, extras (0: none), children of a directory */
export type PageNode = [
  name: string,
  type: string,
  change: number,
  mode: string,
  owner: string,
  size: number,
  extras: PageExtras | 0,
  children?: PageNode[],
];

export interface PageData {
  name: string;
  id: string;
  platform: string;
  created: string;
  size: number;
  wasted: number;
  layers: {
    by: string;
    comment: string;
    created: string;
    diffId: string;
    size: number;
    blob: number;
    wasted: number;
    hides: number;
    added: [number, number];
    changed: [number, number];
    removed: [number, number];
    tree: PageNode[];
  }[];
  /** Oldest first: a layer's index, or the instruction of a step that made none. */
  steps: (number | string)[];
  waste: { path: string; bytes: number; copies: [number, number, boolean][] }[];
  moreWaste: number;
}

export function pageData(image: ImageExploration, reference: string): PageData {
  return {
    name: escapeControls(image.tags[0] ?? reference),
    id: image.id,
    platform: escapeControls(`${image.os}/${image.architecture}`),
    created: escapeControls(image.created ?? ''),
    size: image.size,
    wasted: image.wasted,
    layers: image.layers.map((layer) => ({
      by: escapeControls(instructionOf(layer.createdBy, layer.comment)),
      comment: escapeControls(layer.comment ?? ''),
      created: escapeControls(layer.created ?? ''),
      diffId: layer.diffId,
      size: layer.size,
      blob: layer.blobSize,
      wasted: layer.wasted,
      hides: layer.hides,
      added: [layer.added.entries, layer.added.bytes],
      changed: [layer.changed.entries, layer.changed.bytes],
      removed: [layer.removed.entries, layer.removed.bytes],
      tree: layer.tree.map(pageNode),
    })),
    steps: image.history.map(
      ({ layer, createdBy, comment }) => layer ?? escapeControls(instructionOf(createdBy, comment)),
    ),
    waste: image.waste.slice(0, MOST_WASTE).map(({ path, bytes, copies }) => ({
      path: escapeControls(path),
      bytes,
      copies: copies.map(({ layer, hiddenBy, removed }) => [layer, hiddenBy, removed]),
    })),
    moreWaste: Math.max(0, image.waste.length - MOST_WASTE),
  };
}

function pageNode(node: ExploredNode): PageNode {
  const mode = modeText(node.type, node.mode);
  const extras: PageExtras = {};
  if (node.target !== undefined) extras.t = escapeControls(node.target);
  if (node.hides) extras.h = node.hides;
  if (node.hiddenBy !== undefined) extras.b = node.hiddenBy;
  if (node.hardLink) extras.l = 1;
  if (node.nameHex !== undefined) extras.x = node.nameHex;
  const note = noteOf(node);
  if (note !== '') extras.n = note;
  const some = Object.keys(extras).length > 0;
  const page: PageNode = [
    escapeControls(node.name),
    mode[0] ?? '-',
    CHANGES.indexOf(node.change),
    mode,
    `${node.uid}:${node.gid}`,
    node.size,
    some ? extras : 0,
  ];
  if (node.children) page.push(node.children.map(pageNode));
  return page;
}

function noteOf({ change, differs = [], was, type }: ExploredNode): string {
  if (was === undefined) return '';
  if (change === 'removed') return `of layer ${was.layer + 1}`;
  const notes: string[] = [];
  if (differs.includes('type')) notes.push(`was a ${was.type}`);
  if (differs.includes('mode')) notes.push(`was ${modeText(was.type, was.mode)}`);
  if (differs.includes('owner')) notes.push(`was ${was.uid}:${was.gid}`);
  if (differs.includes('attributes')) notes.push('other attributes');
  if (differs.length === 0 && type === 'file') notes.push('written again as it was');
  return notes.join(', ');
}
