/** Names, labels, histories and a registry's errors are hostile bytes: no control character of theirs reaches a terminal. */

/** C0, DEL, C1, and the marks that reorder text. */
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;
const CONTROL_BUT_LAYOUT = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

function visible(char: string): string {
  const code = char.charCodeAt(0);
  return code < 0x100
    ? `\\x${code.toString(16).padStart(2, '0')}`
    : `\\u${code.toString(16).padStart(4, '0')}`;
}

export function escapeControls(text: string): string {
  return text.replace(CONTROL, visible);
}

/** The same, with line feeds and tabs kept. */
export function escapeForText(text: string): string {
  return text.replace(CONTROL_BUT_LAYOUT, visible);
}

/** Go's strconv.Quote. */
export function goQuote(text: string): string {
  const short: Record<string, string> = {
    '"': '\\"',
    '\\': '\\\\',
    '\u0007': '\\a',
    '\b': '\\b',
    '\f': '\\f',
    '\n': '\\n',
    '\r': '\\r',
    '\t': '\\t',
    '\v': '\\v',
  };
  return `"${text.replace(/["\\\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, (c) => short[c] ?? visible(c))}"`;
}

/** At most `width` characters, the last being `…` when something was cut. */
export function ellipsis(text: string, width: number): string {
  const chars = [...text];
  if (chars.length <= width) return text;
  if (width <= 0) return '';
  return width === 1 ? (chars[0] as string) : `${chars.slice(0, width - 1).join('')}…`;
}
