/** The fields of one `--mount`, as the flag's own parser reads them; the types have their say in mount.ts. */
import { posix } from 'node:path';
import { parseBool } from './bool.js';
import { parseCsv } from './csv.js';
import { parseSize } from './size.js';
import type { BindRecursion } from './volume.js';

/** The flag's fields as typed; absent = not given. */
export interface MountFields {
  type: string;
  source: string;
  target: string;
  readonly?: boolean;
  consistency?: string;
  propagation?: string;
  nonRecursive?: boolean;
  recursion?: BindRecursion;
  subpath?: string;
  nocopy?: boolean;
  labels?: Record<string, string>;
  driver?: string;
  options?: Record<string, string>;
  tmpfsSize?: number;
  tmpfsMode?: number;
}

const RECURSIONS: readonly BindRecursion[] = ['enabled', 'disabled', 'writable', 'readonly'];
/** These may stand without a value. */
const SWITCHES = ['readonly', 'ro', 'volume-nocopy', 'bind-nonrecursive'];

/** @throws Error with Docker's reason */
export function parseMountFields(spec: string, cwd: string): MountFields {
  const fields: MountFields = { type: 'volume', source: '', target: '' };
  for (const text of parseCsv(spec)) setField(fields, text, cwd);
  if (fields.type === '') throw new Error('type is required');
  if (fields.target === '') throw new Error('target is required');
  checkMix(fields);
  return fields;
}

function setField(fields: MountFields, text: string, cwd: string): void {
  const at = text.indexOf('=');
  const key = (at < 0 ? text : text.slice(0, at)).toLowerCase();
  if (at < 0 && !SWITCHES.includes(key)) {
    throw new Error(`invalid field '${text}' must be a key=value pair`);
  }
  const setter = Object.hasOwn(SETTERS, key) ? SETTERS[key] : undefined;
  if (setter === undefined) throw new Error(`unexpected key '${key}' in '${text}'`);
  setter({ fields, key, value: at < 0 ? 'true' : text.slice(at + 1), cwd });
}

interface Setting {
  fields: MountFields;
  key: string;
  value: string;
  cwd: string;
}

type Setter = (setting: Setting) => void;

const setSource: Setter = ({ fields, value, cwd }) => {
  fields.source = value === '.' || value.startsWith('./') ? posix.resolve(cwd, value) : value;
};
const setTarget: Setter = ({ fields, value }) => {
  fields.target = value;
};
const setReadonly: Setter = (setting) => {
  setting.fields.readonly = flag(setting);
};

const SETTERS: Record<string, Setter> = {
  type: ({ fields, value }) => {
    fields.type = value.toLowerCase();
  },
  source: setSource,
  src: setSource,
  target: setTarget,
  dst: setTarget,
  destination: setTarget,
  readonly: setReadonly,
  ro: setReadonly,
  consistency: ({ fields, value }) => {
    fields.consistency = value.toLowerCase();
  },
  'bind-propagation': ({ fields, value }) => {
    fields.propagation = value.toLowerCase();
  },
  'bind-nonrecursive': (setting) => {
    setting.fields.nonRecursive = flag(setting);
  },
  'bind-recursive': ({ fields, key, value }) => {
    fields.recursion = RECURSIONS.find((known) => known === value);
    if (fields.recursion === undefined) {
      throw new Error(
        `invalid value for ${key}: ${value} (must be "enabled", "disabled", "writable", or "readonly")`,
      );
    }
  },
  'volume-subpath': ({ fields, value }) => {
    fields.subpath = value;
  },
  'volume-nocopy': (setting) => {
    setting.fields.nocopy = flag(setting);
  },
  'volume-label': ({ fields, value }) => {
    fields.labels = withPair(fields.labels, value);
  },
  'volume-driver': ({ fields, value }) => {
    fields.driver = value;
  },
  'volume-opt': ({ fields, value }) => {
    fields.options = withPair(fields.options, value);
  },
  'tmpfs-size': (setting) => {
    setting.fields.tmpfsSize = valid(setting, () => parseSize(setting.value));
  },
  'tmpfs-mode': (setting) => {
    setting.fields.tmpfsMode = valid(setting, () =>
      /^[0-7]{1,10}$/.test(setting.value) ? Number.parseInt(setting.value, 8) : undefined,
    );
  },
};

function flag(setting: Setting): boolean {
  return valid(setting, () => parseBool(setting.value));
}

function valid<T>({ key, value }: Setting, read: () => T | undefined): T {
  let result: T | undefined;
  try {
    result = read();
  } catch {
    // The reader's own words would be about something else.
  }
  if (result === undefined) throw new Error(`invalid value for ${key}: ${value}`);
  return result;
}

function withPair(pairs: Record<string, string> | undefined, text: string): Record<string, string> {
  const at = text.indexOf('=');
  const [key, value] = at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
  return { ...pairs, [key]: value };
}

function has(...values: unknown[]): boolean {
  return values.some((value) => value !== undefined);
}

/** Options of one type on a mount of another are a slip. */
function checkMix(fields: MountFields): void {
  const { type, readonly, recursion, propagation, nonRecursive } = fields;
  const groups: [string, boolean][] = [
    ['volume', has(fields.nocopy, fields.labels, fields.driver, fields.options, fields.subpath)],
    ['bind', has(propagation, nonRecursive, recursion)],
    ['tmpfs', has(fields.tmpfsSize, fields.tmpfsMode)],
  ];
  for (const [group, given] of groups) {
    if (given && group !== type) throw new Error(`cannot mix '${group}-*' options with mount type '${type}'`);
  }
  if (recursion !== 'writable' && recursion !== 'readonly') return;
  const needs = (what: string) =>
    new Error(`option 'bind-recursive=${recursion}' requires '${what}' to be specified in conjunction`);
  if (!readonly) throw needs('readonly');
  if (recursion === 'readonly' && propagation !== 'rprivate') throw needs('bind-propagation=rprivate');
}
