/** One record of comma-separated values, as Go's encoding/csv reads it: how `--mount` and `--network` take their fields. */

/** @throws Error whose message is Go's. */
export function parseCsv(text: string): string[] {
  const [line = ''] = text.split(/\r?\n/);
  if (line === '') throw new Error('EOF');
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    const { value, end } = line[at] === '"' ? quoted(line, at) : plain(line, at);
    fields.push(value);
    if (end >= line.length) return fields;
    at = end + 1;
  }
}

interface Field {
  value: string;
  /** Of the comma behind it, or the length of the line. */
  end: number;
}

function plain(line: string, start: number): Field {
  const comma = line.indexOf(',', start);
  const end = comma < 0 ? line.length : comma;
  const value = line.slice(start, end);
  const quote = value.indexOf('"');
  if (quote >= 0) throw badQuote(line, start + quote, 'bare " in non-quoted field');
  return { value, end };
}

function quoted(line: string, start: number): Field {
  let value = '';
  let at = start + 1;
  for (;;) {
    const quote = line.indexOf('"', at);
    if (quote < 0) throw badQuote(line, line.length, UNBALANCED);
    value += line.slice(at, quote);
    const next = line[quote + 1];
    if (next === undefined || next === ',') return { value, end: quote + 1 };
    if (next !== '"') throw badQuote(line, quote, UNBALANCED);
    value += '"';
    at = quote + 2;
  }
}

const UNBALANCED = 'extraneous or missing " in quoted-field';

/** Columns are counted in bytes, from 1. */
function badQuote(line: string, index: number, reason: string): Error {
  const column = Buffer.byteLength(line.slice(0, index)) + 1;
  return new Error(`parse error on line 1, column ${column}: ${reason}`);
}
