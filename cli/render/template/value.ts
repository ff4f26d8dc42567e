/**
 * Values as Go's fmt and reflect see them. Data are plain JSON values; some of Go's distinctions that JSON has not are
 * kept: `undefined` is "no value" (a missing key of a map), `null` a nil pointer (also a field that is there with the value
 * undefined, which JSON leaves out), a nil list or map is one of two constants, and an object is a struct unless it is
 * marked as a map, because a struct refuses unknown fields and cannot be ranged over.
 */

const maps = new WeakSet<object>();
const rows = new WeakSet<object>();
/** Maps that came from JSON as it stood: a key they lack is an error. */
const documents = new WeakSet<object>();
/** Keys of the JSON that are no fields of the struct. */
const hidden = new WeakMap<object, ReadonlySet<string>>();
const typeNames = new WeakMap<object, string>();

/** A list or map that was never made: empty to a template, null in JSON. */
class Nil {
  constructor(
    readonly text: string,
    readonly type: string,
  ) {}
}

export const NIL_LIST = new Nil('[]', '[]string');
export const NIL_MAP = new Nil('map[]', 'map[string]interface {}');

/** What a function other than json sees of it. */
export function emptied(value: unknown): unknown {
  if (value === NIL_LIST) return [];
  return value === NIL_MAP ? asMap({}) : value;
}

/** Fields of Docker's documents that are maps with keys of the user, wherever they stand. */
const MAP_FIELDS = new Set(
  'Labels Ports Networks Volumes ExposedPorts Data Options Annotations Sysctls Tmpfs StorageOpt PortBindings DriverOpts'.split(
    ' ',
  ),
);

/** Fields that are lists, for those that are null. */
const LIST_FIELDS = new Set(
  (
    'Aliases Binds CapAdd CapDrop Cmd DNSNames DeviceCgroupRules DeviceRequests Devices Dns DnsOptions DnsSearch Entrypoint Env ' +
    'ExecIDs ExtraHosts GroupAdd Links MaskedPaths OnBuild ReadonlyPaths SecondaryIPAddresses SecondaryIPv6Addresses ' +
    'SecurityOpt Shell Ulimits VolumesFrom'
  ).split(' '),
);

/** `type` is what Go calls the object. */
export function asNamed<T extends object>(value: T, type: string): T {
  typeNames.set(value, type);
  return value;
}

/** A row of a listing: its JSON is made by a method of its own, which escapes HTML. */
export function asRow<T extends object>(value: T, type: string): T {
  rows.add(value);
  return asNamed(value, type);
}

export function asMap<T extends object>(value: T): T {
  maps.add(value);
  return value;
}

/** The document itself instead of a struct made of it. */
export function asDocument<T extends object>(value: T): T {
  documents.add(value);
  return asMap(value);
}

export function hideFields(value: object, names: readonly string[]): void {
  hidden.set(value, new Set(names));
}

export function isMapField(name: string): boolean {
  return MAP_FIELDS.has(name);
}

export function isMap(value: unknown): value is Record<string, unknown> {
  return isObject(value) && maps.has(value);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Nil);
}

/** A value read from `field` of an object: marked when such fields are maps. */
export function fieldValue(object: Record<string, unknown>, field: string): unknown {
  const value = object[field];
  if (value === undefined || value === null) {
    if (MAP_FIELDS.has(field) && value === null) return NIL_MAP;
    return LIST_FIELDS.has(field) && value === null ? NIL_LIST : null;
  }
  if (MAP_FIELDS.has(field) && isObject(value)) maps.add(value);
  return value;
}

export function hasField(object: Record<string, unknown>, field: string): boolean {
  return Object.hasOwn(object, field) && hidden.get(object)?.has(field) !== true;
}

/** `.name` of a value; undefined is "no value". @throws Error where Go refuses. */
export function fieldOf(value: unknown, name: string, unknownField = cannotEvaluate): unknown {
  if (value === undefined || value === NIL_MAP) return undefined;
  if (value === null) throw new Error(`nil pointer evaluating interface {}.${name}`);
  if (isObject(value) && !(value instanceof Float)) {
    if (documents.has(value)) {
      if (Object.hasOwn(value, name)) return value[name];
      throw new Error(`map has no entry for key "${name}"`);
    }
    if (hasField(value, name)) return fieldValue(value, name);
    if (isMap(value)) return undefined;
  }
  throw new Error(unknownField(name, typeName(value)));
}

function cannotEvaluate(name: string, type: string): string {
  return `can't evaluate field ${name} in type ${type}`;
}

/** Keys and values in the order of range; undefined for what cannot be ranged over. */
export function entriesOf(value: unknown): [unknown, unknown][] | undefined {
  if (value === undefined || value === null || value instanceof Nil) return [];
  if (Array.isArray(value)) return value.map((item, i) => [i, item]);
  if (isMap(value)) return sortedKeys(value).map((key) => [key, value[key]]);
  if (typeof value === 'number' && Number.isInteger(value))
    return Array.from({ length: Math.max(0, value) }, (_, i) => [i, i]);
  return undefined;
}

/** A number that stays a float in comparisons and %v. */
export class Float {
  constructor(readonly value: number) {}
}

export function truth(value: unknown): boolean {
  if (value === undefined || value === null || value instanceof Nil) return false;
  if (value instanceof Float) return value.value !== 0;
  if (Array.isArray(value)) return value.length > 0;
  if (isMap(value)) return Object.keys(value).length > 0;
  if (typeof value === 'object') return true;
  return Boolean(value);
}

/** Go's %v, with %+v's nothing: no field names. */
export function display(value: unknown, top = true): string {
  if (value === undefined) return top ? '<no value>' : '<nil>';
  if (value === null) return '<nil>';
  if (value instanceof Nil) return value.text;
  if (value instanceof Float) return goFloat(value.value);
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : goFloat(value);
  if (Array.isArray(value)) return `[${value.map((item) => display(item, false)).join(' ')}]`;
  if (isMap(value))
    return `map[${sortedKeys(value)
      .map((key) => `${key}:${display(value[key], false)}`)
      .join(' ')}]`;
  if (isObject(value))
    return `{${Object.keys(value)
      .filter((key) => typeof value[key] !== 'function')
      .map((key) => display(fieldValue(value, key), false))
      .join(' ')}}`;
  return String(value);
}

function goFloat(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
  const exponent = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)));
  if (exponent >= -4 && exponent < 21)
    return String(value).includes('e') ? value.toFixed(20).replace(/0+$/, '') : String(value);
  return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
}

export function typeName(value: unknown): string {
  if (value === undefined || value === null) return '<nil>';
  if (value instanceof Nil) return value.type;
  if (value instanceof Float) return 'float64';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float64';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'string';
  if (Array.isArray(value))
    return value.every((item) => typeof item === 'string') ? '[]string' : '[]interface {}';
  if (isMap(value)) return 'map[string]interface {}';
  return typeNames.get(value as object) ?? 'struct';
}

export function sortedKeys(map: object): string[] {
  return Object.keys(map).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

/** JSON as Go writes it: maps by sorted key, structs in their order, control characters of both sets escaped. */
export function goJson(value: unknown, indent = ''): string {
  const json = escapeC1(JSON.stringify(plain(value), undefined, indent)) ?? 'null';
  return isObject(value) && rows.has(value) ? escapeHtml(json) : json;
}

function escapeHtml(json: string): string {
  return json.replace(/[<>&]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`);
}

function escapeC1(json: string | undefined): string | undefined {
  return json?.replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function plain(value: unknown): unknown {
  if (value === undefined || value instanceof Nil) return null;
  if (value instanceof Float) return value.value;
  if (Array.isArray(value)) return value.map(plain);
  if (!isObject(value)) return value;
  const keys = isMap(value) ? sortedKeys(value) : Object.keys(value);
  const out: [string, unknown][] = [];
  for (const key of keys) {
    if (value[key] === undefined) continue;
    const item = fieldValue(value, key);
    if (typeof item !== 'function') out.push([key, plain(item)]);
  }
  return Object.fromEntries(out);
}
