/** How the explorer's text looks: colours, and the characters that draw. */
import type { LayerChange } from '../../src/types/explore.js';

export type Colour = 'green' | 'yellow' | 'red' | 'cyan' | 'blue' | 'magenta';
export interface Style {
  colour?: Colour;
  bold?: boolean;
  dim?: boolean;
  inverse?: boolean;
}

const CODES: Record<Colour, number> = { red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36 };

export interface Theme {
  paint(text: string, style: Style): string;
  glyphs: Glyphs;
}

export interface Glyphs {
  bar: string;
  line: string;
  cross: string;
  open: string;
  closed: string;
  branch: string;
  last: string;
  pass: string;
  more: string;
  dot: string;
  selected: string;
  arrow: string;
  upDown: string;
  enter: string;
  /** Eighths of a cell, the first being none. */
  blocks: string[];
}

const UNICODE: Glyphs = {
  bar: '│',
  line: '─',
  cross: '┤',
  open: '▾',
  closed: '▸',
  branch: '├ ',
  last: '└ ',
  pass: '│ ',
  more: '…',
  dot: '·',
  selected: '▶',
  arrow: '→',
  upDown: '↑↓',
  enter: '⏎',
  blocks: ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'],
};
const ASCII: Glyphs = {
  bar: '|',
  line: '-',
  cross: '|',
  open: 'v',
  closed: '>',
  branch: '|-',
  last: '`-',
  pass: '| ',
  more: '~',
  dot: '-',
  selected: '>',
  arrow: '->',
  upDown: 'up/down',
  enter: 'enter',
  blocks: ['', '', '', '', '', '#', '#', '#', '#'],
};

/** By NO_COLOR and the locale. */
export function themeOf(env: Record<string, string | undefined>): Theme {
  const colours = !env.NO_COLOR;
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || '';
  return {
    glyphs: /utf-?8/i.test(locale) ? UNICODE : ASCII,
    paint(text, { colour, bold, dim, inverse }) {
      const codes = [
        ...(bold ? [1] : []),
        ...(dim && colours ? [2] : []),
        ...(inverse ? [7] : []),
        ...(colour && colours ? [CODES[colour]] : []),
      ];
      return codes.length === 0 || text === '' ? text : `\x1b[${codes.join(';')}m${text}\x1b[0m`;
    },
  };
}

export const COLOURS: Record<LayerChange, Colour | undefined> = {
  added: 'green',
  changed: 'yellow',
  removed: 'red',
  unchanged: undefined,
};

/** Colours are not everybody's: the same in one character. */
export const MARKS: Record<LayerChange, string> = { added: '+', changed: '~', removed: '-', unchanged: ' ' };

/** A bar of `share` (0 to 1) of `width` cells, filled up with spaces. What is there at all is seen. */
export function barOf({ blocks }: Glyphs, share: number, width: number): string {
  const eighths = Math.max(share > 0 ? 1 : 0, Math.round(Math.min(1, share) * width * 8));
  const text = (blocks[8] ?? '').repeat(Math.floor(eighths / 8)) + (blocks[eighths % 8] ?? '');
  return text + ' '.repeat(Math.max(0, width - [...text].length));
}

const TYPE_LETTERS = {
  directory: 'd',
  file: '-',
  symlink: 'l',
  char: 'c',
  block: 'b',
  fifo: 'p',
  socket: 's',
};

/** As ls shows it: "-rwsr-xr-x". */
export function modeText(type: keyof typeof TYPE_LETTERS, mode: number): string {
  const bits = [...'rwxrwxrwx'].map((letter, i) => ((mode >> (8 - i)) & 1 ? letter : '-'));
  const special = (bit: number, at: number, letter: string) => {
    if (mode & bit) bits[at] = bits[at] === 'x' ? letter : letter.toUpperCase();
  };
  special(0o4000, 2, 's');
  special(0o2000, 5, 's');
  special(0o1000, 8, 't');
  return TYPE_LETTERS[type] + bits.join('');
}
