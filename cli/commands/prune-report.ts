/** How the prune verbs tell what they did. */
import type { RemovedImage } from '../../src/types/engine.js';
import { escapeControls } from '../render/escape.js';
import { humanSize } from '../render/units.js';

export const ALL_IMAGES_FLAG = {
  name: 'all',
  short: 'a',
  kind: 'bool',
  help: 'Remove all unused images, not just those without a name',
} as const;

export const PRUNE_FILTER = {
  name: 'filter',
  kind: 'list',
  help: 'Only what matches: until=TIME, label=KEY[=VALUE], label!=KEY[=VALUE]',
} as const;

/** "Deleted Images:" */
export function deletedImages(removed: readonly RemovedImage[]): string {
  const lines = removed.map((item) =>
    'untagged' in item ? `untagged: ${item.untagged}` : `deleted: ${item.deleted}`,
  );
  return deletedList('Deleted Images:', lines);
}

/** "Deleted Volumes:", one line each, an empty line; nothing if nothing went. */
export function deletedList(title: string, lines: readonly string[]): string {
  if (lines.length === 0) return '';
  return `${title}\n${lines.map((line) => `${escapeControls(line)}\n`).join('')}\n`;
}

export function reclaimed(bytes: number): string {
  return `Total reclaimed space: ${humanSize(bytes, 4)}\n`;
}
