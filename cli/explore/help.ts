import { toWidth } from '../render/width.js';
import type { Theme } from './style.js';

/** What the keys do, over the whole screen. */
export function helpLines(width: number, height: number, { paint, glyphs }: Theme): string[] {
  const keys: [string, string][] = [
    [`${glyphs.upDown}  j k`, 'one line; PgUp PgDn, Home End, g G go further'],
    ['tab', 'the other side'],
    ['enter space', 'open or close a directory; * and - with all that is in it'],
    ['left right  h l', 'close, open; out of a directory, into it'],
    ['/', 'find names, or paths if a slash is typed; esc ends it'],
    ['a c r u', 'show or hide what is added, changed, removed, unchanged'],
    ['v', "the layer's own files, all files up to it, wasted space"],
    ['w', 'wasted space: bytes that a layer above replaces or removes'],
    ['s', 'by size, by name'],
    ['q', 'leave'],
  ];
  const marks: [string, string][] = [
    ['+', 'added'],
    ['~', 'changed: the layer has its own copy'],
    ['-', 'removed; its size is what stays in the layers below, unseen'],
    ['=', 'one more name of a file in the same layer'],
    [`1${glyphs.arrow}3`, 'bytes of layer 1 that layer 3 replaces; 1 - 3: removes'],
  ];
  const line = ([key, what]: [string, string]) =>
    paint(`  ${toWidth(key, 18, glyphs.more)}`, { colour: 'cyan' }) + toWidth(what, width - 20, glyphs.more);
  const title = (text: string) => paint(toWidth(`  ${text}`, width, glyphs.more), { bold: true });
  const blank = ' '.repeat(width);
  const lines = [
    blank,
    title('Keys'),
    ...keys.map(line),
    blank,
    title('Marks'),
    ...marks.map(line),
    blank,
    toWidth('  any key goes back', width, glyphs.more),
  ];
  while (lines.length < height) lines.push(blank);
  return lines.slice(0, height);
}
