/** The functions a template may call: Go's own and Docker's. They throw plain Errors; eval.ts says where. */
import { sprint, sprintf, sprintln } from './printf.js';
import { display, Float, goJson, isMap, isObject, typeName } from './value.js';

export interface TemplateFunction {
  /** Number of arguments; `max` absent = any number. */
  min: number;
  max?: number;
  /** Arguments that must be strings, by position. */
  strings?: readonly number[];
  apply(args: unknown[]): unknown;
}

const of = (
  min: number,
  max: number | undefined,
  apply: (args: unknown[]) => unknown,
  strings: number[] = [],
) => ({
  min,
  max,
  apply,
  strings,
});
const text = (apply: (s: string) => string) => of(1, 1, ([s]) => apply(s as string), [0]);

export const FUNCTIONS: ReadonlyMap<string, TemplateFunction> = new Map<string, TemplateFunction>([
  ['json', of(1, 1, ([value]) => goJson(value))],
  ['split', of(2, 2, ([s, by]) => split(s as string, by as string), [0, 1])],
  ['join', of(2, 2, ([list, by]) => join(list, by as string), [1])],
  [
    'title',
    text((s) =>
      s.replace(/(^|[^\p{L}\p{N}_])(\p{L})/gu, (_, before, letter) => before + letter.toUpperCase()),
    ),
  ],
  ['lower', text((s) => s.toLowerCase())],
  ['upper', text((s) => s.toUpperCase())],
  ['pad', of(3, 3, ([s, before, after]) => padded(s as string, Number(before), Number(after)), [0])],
  [
    'truncate',
    of(
      2,
      2,
      ([s, n]) =>
        Buffer.from(s as string)
          .subarray(0, Number(n))
          .toString(),
      [0],
    ),
  ],
  ['len', of(1, 1, ([value]) => length(value))],
  ['index', of(1, undefined, ([value, ...keys]) => keys.reduce(index, value))],
  ['slice', of(1, undefined, ([value, ...bounds]) => slice(value, bounds))],
  ['print', of(0, undefined, sprint)],
  ['println', of(0, undefined, sprintln)],
  ['printf', of(1, undefined, ([format, ...args]) => sprintf(format as string, args), [0])],
  ['html', of(0, undefined, (args) => html(sprint(args)))],
  ['js', of(0, undefined, (args) => js(sprint(args)))],
  ['urlquery', of(0, undefined, (args) => encodeURIComponent(sprint(args)).replaceAll('%20', '+'))],
  ['eq', of(2, undefined, ([a, ...rest]) => rest.some((b) => equal(a, b)))],
  ['ne', of(2, 2, ([a, b]) => !equal(a, b))],
  ['lt', of(2, 2, ([a, b]) => compare(a, b) < 0)],
  ['le', of(2, 2, ([a, b]) => compare(a, b) <= 0)],
  ['gt', of(2, 2, ([a, b]) => compare(a, b) > 0)],
  ['ge', of(2, 2, ([a, b]) => compare(a, b) >= 0)],
]);

/** `and`, `or` and `not` stop early or look at truth only: eval.ts has them. */
export const LOGIC = new Set(['and', 'or', 'not']);

/** In a table's header line these leave the column's title as it is. */
export const HEADER_FUNCTIONS: ReadonlyMap<string, TemplateFunction> = new Map(
  ['json', 'title', 'lower', 'upper', 'truncate', 'split', 'join'].map((name) => [
    name,
    of(1, undefined, ([title]) => title),
  ]),
);

function split(s: string, by: string): string[] {
  return by === '' ? [...s] : s.split(by);
}

function join(list: unknown, by: string): string {
  if (list === null || list === undefined) return '';
  const items = Array.isArray(list) ? list : isMap(list) ? Object.values(list) : undefined;
  if (items === undefined) throw new Error(`expected slice, got ${display(list)} (${typeName(list)})`);
  return items.map((item) => display(item, false)).join(by);
}

function padded(s: string, before: number, after: number): string {
  return s === '' ? s : ' '.repeat(before) + s + ' '.repeat(after);
}

function length(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.length;
  if (isMap(value)) return Object.keys(value).length;
  if (value === null || value === undefined) throw new Error('len of nil pointer');
  throw new Error(`len of type ${typeName(value)}`);
}

function index(value: unknown, key: unknown): unknown {
  if (value === null || value === undefined) throw new Error('index of untyped nil');
  if (isObject(value)) {
    if (!isMap(value)) throw new Error(`can't index item of type ${typeName(value)}`);
    if (typeof key !== 'string') throw new Error(`value has type ${typeName(key)}; should be string`);
    if (Object.hasOwn(value, key)) return value[key];
    // The zero value of what such a map holds: every map of strings answers "" for a name it lacks.
    return Object.values(value).every((item) => typeof item === 'string') ? '' : undefined;
  }
  const items = Array.isArray(value) ? value : typeof value === 'string' ? Buffer.from(value) : undefined;
  if (items === undefined) throw new Error(`can't index item of type ${typeName(value)}`);
  if (typeof key !== 'number') throw new Error(`cannot index slice/array with type ${typeName(key)}`);
  if (key < 0 || key >= items.length) throw new Error(`index out of range: ${key}`);
  return items[key];
}

function slice(value: unknown, bounds: unknown[]): unknown {
  if (typeof value !== 'string' && !Array.isArray(value))
    throw new Error(value == null ? 'slice of untyped nil' : `can't slice item of type ${typeName(value)}`);
  const size = length(value);
  const [from = 0, to = size] = bounds.map(Number);
  for (const bound of [from, to])
    if (!(bound >= 0 && bound <= size)) throw new Error(`index out of range: ${bound}`);
  if (from > to) throw new Error(`invalid slice index: ${from} > ${to}`);
  return typeof value === 'string' ? Buffer.from(value).subarray(from, to).toString() : value.slice(from, to);
}

function kindOf(value: unknown): string {
  const name = typeName(value);
  if (['int', 'float64', 'bool', 'string', '<nil>'].includes(name)) return name;
  throw new Error('non-comparable type');
}

function equal(a: unknown, b: unknown): boolean {
  const [x, y] = [kindOf(a), kindOf(b)];
  if (x === '<nil>' || y === '<nil>') return x === y;
  if (x !== y) throw new Error('incompatible types for comparison');
  return unwrap(a) === unwrap(b);
}

function compare(a: unknown, b: unknown): number {
  const [x, y] = [kindOf(a), kindOf(b)];
  if (x !== y) throw new Error('incompatible types for comparison');
  if (x === 'string') return Buffer.compare(Buffer.from(a as string), Buffer.from(b as string));
  if (x !== 'int' && x !== 'float64') throw new Error('invalid type for comparison');
  return Number(unwrap(a)) - Number(unwrap(b));
}

function unwrap(value: unknown): unknown {
  return value instanceof Float ? value.value : value;
}

function html(s: string): string {
  const map: Record<string, string> = {
    '<': '&lt;',
    '>': '&gt;',
    '&': '&amp;',
    '"': '&#34;',
    "'": '&#39;',
    '\0': '\uFFFD',
  };
  return s.replace(/[<>&"'\0]/g, (c) => map[c] as string);
}

function js(s: string): string {
  const hex = (c: string) => `\\u${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
  return s.replace(/[\\'"]/g, (c) => `\\${c}`).replace(/[<>&=\u0000-\u001f]/g, hex);
}
