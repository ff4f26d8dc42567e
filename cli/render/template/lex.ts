/** Go template text -> text pieces and the tokens of each action. */

export class TemplateError extends Error {
  /** What had been printed when it happened. */
  output = '';
}

export interface Token {
  kind: 'field' | 'variable' | 'word' | 'number' | 'string' | 'char' | 'punct';
  /** As written. */
  text: string;
  /** Value of a string. */
  value?: string;
  /** Byte offset in the template. */
  pos: number;
  /** A blank stands before it: it begins a new operand. */
  spaced: boolean;
}

export type Piece =
  | { kind: 'text'; text: string; pos: number }
  | { kind: 'action'; tokens: Token[]; pos: number };

/** 1-based line and 0-based byte column of an offset, as Go counts them. */
export function locate(source: string, pos: number): { line: number; column: number } {
  const before = source.slice(0, pos);
  const line = before.split('\n').length;
  return { line, column: Buffer.byteLength(before.slice(before.lastIndexOf('\n') + 1)) };
}

export function parseFailure(name: string, source: string, pos: number, message: string): TemplateError {
  return new TemplateError(`template: ${name}:${locate(source, pos).line}: ${message}`);
}

const TOKEN =
  /(\.[\p{L}_][\p{L}\p{N}_]*)|(\$[\p{L}\p{N}_]*)|([+-]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?))|([\p{L}_][\p{L}\p{N}_]*)|(:=|[|(),=.])|("(?:[^"\\\n]|\\.)*")|(`[^`]*`)|('(?:[^'\\\n]|\\.)+')/uy;

export function lex(source: string, name: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  let trimNext = false;
  while (at < source.length) {
    const open = source.indexOf('{{', at);
    const end = open < 0 ? source.length : open;
    let text = source.slice(at, end);
    if (trimNext) text = text.replace(/^[ \t\r\n]+/, '');
    trimNext = false;
    if (open >= 0 && /^\{\{-[ \t\r\n]/.test(source.slice(open, open + 4)))
      text = text.replace(/[ \t\r\n]+$/, '');
    if (text !== '') pieces.push({ kind: 'text', text, pos: at });
    if (open < 0) break;
    const action = lexAction(source, open, name);
    if (action.tokens) pieces.push({ kind: 'action', tokens: action.tokens, pos: open + 2 });
    trimNext = action.trim;
    at = action.end;
  }
  return pieces;
}

function lexAction(
  source: string,
  open: number,
  name: string,
): { tokens?: Token[]; end: number; trim: boolean } {
  let at = open + 2;
  if (/^-[ \t\r\n]/.test(source.slice(at, at + 2))) at += 1;
  const comment = /[ \t\r\n]*\/\*/y;
  comment.lastIndex = at;
  if (comment.test(source)) {
    const close = source.indexOf('*/', at);
    if (close < 0) throw parseFailure(name, source, open, 'unclosed comment');
    const tail = /(?:[ \t\r\n]+(-))?\}\}/y;
    tail.lastIndex = close + 2;
    const match = tail.exec(source);
    if (!match) throw parseFailure(name, source, open, 'comment ends before closing delimiter');
    return { end: tail.lastIndex, trim: match[1] !== undefined };
  }
  const tokens: Token[] = [];
  let depth = 0;
  for (;;) {
    const blank = /[ \t\r\n]*/y;
    blank.lastIndex = at;
    blank.exec(source);
    const spaced = blank.lastIndex > at || tokens.length === 0;
    const start = blank.lastIndex;
    if (spaced && source.startsWith('-}}', start)) return { tokens, end: start + 3, trim: true };
    if (source.startsWith('}}', start)) {
      if (depth > 0) throw parseFailure(name, source, start, 'unclosed left paren');
      return { tokens, end: start + 2, trim: false };
    }
    if (start >= source.length) throw parseFailure(name, source, open, 'unclosed action');
    const token = nextToken(source, start, { spaced, last: tokens.at(-1) }, name);
    if (token.text === '(') depth += 1;
    if (token.text === ')') depth -= 1;
    if (depth < 0) throw parseFailure(name, source, start, 'unexpected right paren');
    tokens.push(token);
    at = start + token.text.length;
  }
}

function nextToken(
  source: string,
  pos: number,
  before: { spaced: boolean; last?: Token },
  name: string,
): Token {
  const { spaced, last } = before;
  TOKEN.lastIndex = pos;
  const match = TOKEN.exec(source);
  // Names end at a blank or a punctuation mark of the language.
  const open = !spaced && last !== undefined && ['field', 'variable', 'word'].includes(last.kind);
  if (!match || (open && match[3] !== undefined)) throw badCharacter(source, pos, open, name);
  const [text, field, variable, number, word, punct, string, raw] = match;
  const token = (kind: Token['kind'], value?: string): Token => ({ kind, text, value, pos, spaced });
  if (field !== undefined) return token('field');
  if (variable !== undefined) return token('variable');
  if (number !== undefined) return token('number');
  if (word !== undefined) return token('word');
  if (punct !== undefined) return token('punct');
  if (raw !== undefined) return token('string', raw.slice(1, -1));
  const value = unquote(text.slice(1, -1));
  if (string !== undefined) return token('string', value);
  return token('char', value);
}

function badCharacter(source: string, pos: number, afterName: boolean, name: string): TemplateError {
  const char = String.fromCodePoint(source.codePointAt(pos) as number);
  const unterminated: Record<string, string> = {
    '"': 'unterminated quoted string',
    '`': 'unterminated raw quoted string',
    "'": 'unterminated character constant',
  };
  const code = `U+${(char.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, '0')} '${char}'`;
  if (afterName) return parseFailure(name, source, pos, `bad character ${code}`);
  if (char in unterminated) return parseFailure(name, source, pos, unterminated[char] as string);
  if (/[!-~]/.test(char))
    return parseFailure(name, source, pos, `unexpected ${JSON.stringify(char)} in command`);
  return parseFailure(name, source, pos, `unrecognized character in action: ${code}`);
}

const ESCAPES: Record<string, string> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

function unquote(body: string): string {
  return body.replace(
    /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))/g,
    (whole, hex, u4, u8, octal, char) => {
      const code = hex ?? u4 ?? u8;
      if (code !== undefined) return String.fromCodePoint(Number.parseInt(code, 16));
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
      return ESCAPES[char] ?? (/["'\\]/.test(char) ? char : whole);
    },
  );
}
