/**
 * `--log-driver` and `--log-opt`. `local` keeps its name and its defaults, and is written in json-file's format: the
 * format of Docker's own local files is nobody's interface.
 */
import { parseBool } from './bool.js';
import { parseSize } from './size.js';
import { flagError, usage } from './usage.js';

export interface LogIntent {
  driver: 'json-file' | 'local' | 'none';
  /** bytes; rotation starts a new file past this. 0 = never. */
  maxSize: number;
  /** Files kept, the current one included. */
  maxFile: number;
  /** As typed, for inspect; with the defaults in the place of what is absent. */
  config: Record<string, string>;
}

interface Driver {
  defaults: Record<string, string>;
  /** Options that change nothing here: only these values are taken. */
  inert: Record<string, string[]>;
  /** Docker has them, tsrun does not. */
  missing: string[];
  unknown(name: string): string;
}

const ATTRIBUTES = ['labels', 'labels-regex', 'env', 'env-regex', 'tag', 'max-buffer-size'];

/** Rotation is on by default for both: a log that fills the disk is the older complaint. */
const DRIVERS: Record<'json-file' | 'local', Driver> = {
  'json-file': {
    defaults: { 'max-file': '3', 'max-size': '10m' },
    inert: { mode: ['blocking'], compress: ['false'] },
    missing: ATTRIBUTES,
    unknown: (name) => `unknown log opt '${name}' for json-file log driver`,
  },
  local: {
    defaults: { 'max-file': '5', 'max-size': '20m' },
    inert: { mode: ['blocking'], compress: ['false'] },
    missing: ['max-buffer-size'],
    unknown: (name) => `unknown log opt '${name}' for log driver local`,
  },
};

export function parseLog(driver: string | undefined, texts: readonly string[]): LogIntent {
  const options = Object.fromEntries(texts.map(pair));
  const name = driver || 'json-file';
  if (name === 'none') {
    if (texts.length > 0) throw flagError('invalid logging opts for driver none');
    return { driver: name, maxSize: 0, maxFile: 1, config: {} };
  }
  if (name !== 'json-file' && name !== 'local') {
    throw usage(
      `error looking up logging plugin ${name}: plugin "${name}" not found`,
      name,
      'known: json-file, local, none',
    );
  }
  const known = DRIVERS[name];
  for (const [option, value] of Object.entries(options)) checkOption(known, option, value);
  const config = { ...known.defaults, ...options };
  const maxFile = filesOf(config['max-file'] ?? '1');
  return { driver: name, maxSize: sizeOf(config['max-size'] ?? '-1'), maxFile, config };
}

function pair(text: string): [string, string] {
  const at = text.indexOf('=');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function checkOption(driver: Driver, name: string, value: string): void {
  if (Object.hasOwn(driver.defaults, name)) return;
  const inert = Object.hasOwn(driver.inert, name) ? driver.inert[name] : undefined;
  if (inert === undefined && !driver.missing.includes(name)) throw usage(driver.unknown(name), name);
  if (name === 'mode' && value !== 'blocking' && value !== 'non-blocking') {
    throw usage(`logger: logging mode not supported: ${value}`, value);
  }
  if (name === 'compress' && parseBool(value) === undefined) {
    throw usage(`failed to initialize logging driver: strconv.ParseBool: parsing "${value}": invalid syntax`);
  }
  const isInert = inert?.some((known) => known === value || String(parseBool(value)) === known) ?? false;
  if (!isInert) throw usage(`the log option ${name}=${value} is not supported`, name);
}

/** -1 = never rotate. */
function sizeOf(text: string): number {
  if (text === '-1') return 0;
  try {
    return parseSize(text);
  } catch (error) {
    throw usage(`failed to initialize logging driver: ${error instanceof Error ? error.message : error}`);
  }
}

function filesOf(text: string): number {
  if (!/^[+-]?\d{1,9}$/.test(text)) {
    throw usage(`failed to initialize logging driver: strconv.Atoi: parsing "${text}": invalid syntax`);
  }
  if (Number(text) < 1) throw usage('failed to initialize logging driver: max-file cannot be less than 1');
  return Number(text);
}
