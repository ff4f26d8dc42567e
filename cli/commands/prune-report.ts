/** How the prune verbs tell what they did. */
import { escapeControls } from '../render/escape.js';
import { humanSize } from '../render/units.js';

/** "Deleted Volumes:", one line each, an empty line; nothing if nothing went. */
export function deletedList(title: string, lines: readonly string[]): string {
  if (lines.length === 0) return '';
  return `${title}\n${lines.map((line) => `${escapeControls(line)}\n`).join('')}\n`;
}

export function reclaimed(bytes: number): string {
  return `Total reclaimed space: ${humanSize(bytes, 4)}\n`;
}
