/** fmt.Sprint, Sprintln and Sprintf over template values. */
import { goQuote } from '../escape.js';
import { display, Float, typeName } from './value.js';

/** Blanks only between operands of which neither is a string. */
export function sprint(args: unknown[]): string {
  let text = '';
  args.forEach((arg, i) => {
    if (i > 0 && typeof arg !== 'string' && typeof args[i - 1] !== 'string') text += ' ';
    text += inner(arg);
  });
  return text;
}

export function sprintln(args: unknown[]): string {
  return `${args.map(inner).join(' ')}\n`;
}

function inner(value: unknown): string {
  return value === undefined || value === null ? '<nil>' : display(value, false);
}

const DIRECTIVE = /%([-+# 0]*)(\*|\d+)?(?:\.(\*|\d+)?)?(.)|%$/gsu;

export function sprintf(format: string, args: unknown[]): string {
  let next = 0;
  const text = format.replace(
    DIRECTIVE,
    (whole, flags: string, width: string, precision: string, verb: string) => {
      if (verb === undefined) return '%!(NOVERB)';
      if (verb === '%') return '%';
      const star = (text: string | undefined) => (text === '*' ? Number(args[next++]) : text && Number(text));
      const w = star(width);
      const hasPrecision = /\./.test(whole);
      const p = hasPrecision ? (star(precision) ?? 0) : undefined;
      if (next >= args.length) return `%!${verb}(MISSING)`;
      const body = one(verb, args[next++], flags, typeof p === 'string' ? Number(p || 0) : p);
      return pad(body, Number(w ?? 0), flags);
    },
  );
  if (next >= args.length) return text;
  const extra = args.slice(next).map((arg) => (arg == null ? '<nil>' : `${typeName(arg)}=${inner(arg)}`));
  return `${text}%!(EXTRA ${extra.join(', ')})`;
}

function pad(text: string, width: number, flags: string): string {
  const missing = width - [...text].length;
  if (missing <= 0) return text;
  if (flags.includes('-')) return text + ' '.repeat(missing);
  if (!flags.includes('0')) return ' '.repeat(missing) + text;
  const sign = /^[+-]/.exec(text)?.[0] ?? '';
  return sign + '0'.repeat(missing) + text.slice(sign.length);
}

function one(verb: string, value: unknown, flags: string, precision: number | undefined): string {
  const bad = () => (value == null ? `%!${verb}(<nil>)` : `%!${verb}(${typeName(value)}=${inner(value)})`);
  const signed = (text: string) => (flags.includes('+') && !text.startsWith('-') ? `+${text}` : text);
  if (verb === 'v') return typeof value === 'number' ? signed(inner(value)) : inner(value);
  if (verb === 'T') return typeName(value);
  if (verb === 't') return typeof value === 'boolean' ? String(value) : bad();
  if (verb === 's' || verb === 'q') {
    if (Array.isArray(value)) return `[${value.map((item) => one(verb, item, flags, precision)).join(' ')}]`;
    if (typeof value !== 'string') return bad();
    const cut = precision === undefined ? value : [...value].slice(0, precision).join('');
    return verb === 'q' ? goQuote(cut) : cut;
  }
  if ((verb === 'x' || verb === 'X') && typeof value === 'string') {
    const hex = Buffer.from(value).toString('hex');
    return verb === 'X' ? hex.toUpperCase() : hex;
  }
  return number(verb, value, signed, precision) ?? bad();
}

function number(
  verb: string,
  value: unknown,
  signed: (text: string) => string,
  precision: number | undefined,
): string | undefined {
  const float = value instanceof Float || (typeof value === 'number' && !Number.isInteger(value));
  const n = value instanceof Float ? value.value : value;
  if (typeof n !== 'number') return undefined;
  if (float) {
    if (verb === 'f' || verb === 'F') return signed(n.toFixed(precision ?? 6));
    if (verb === 'e') return signed(n.toExponential(precision ?? 6).replace(/e([+-])(\d)$/, 'e$10$2'));
    if (verb === 'g')
      return signed(precision === undefined ? inner(value) : String(Number(n.toPrecision(precision || 1))));
    return undefined;
  }
  const radix = { d: 10, x: 16, X: 16, o: 8, b: 2 }[verb];
  if (radix !== undefined) {
    const digits = n.toString(radix);
    return signed(verb === 'X' ? digits.toUpperCase() : digits);
  }
  if (verb === 'c') return String.fromCodePoint(n);
  if (verb === 'U') return `U+${n.toString(16).toUpperCase().padStart(4, '0')}`;
  return verb === 'q' ? `'${String.fromCodePoint(n)}'` : undefined;
}
