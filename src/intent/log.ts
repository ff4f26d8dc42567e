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
  /** Rotated files are kept as gzip. */
  compress: boolean;
  attributes: LogAttributes;
  /** As typed, for inspect; with the defaults in the place of what is absent. */
  config: Record<string, string>;
}

/** What is written beside each line, taken from the container's labels and environment. */
export interface LogAttributes {
  labels: string[];
  env: string[];
  labelsRegex?: RegExp;
  envRegex?: RegExp;
  /** Text with {{.ID}}, {{.FullID}}, {{.Name}}, {{.ImageID}}, {{.ImageFullID}}, {{.ImageName}}, {{.DaemonName}}. */
  tag: string;
}

interface Driver {
  defaults: Record<string, string>;
  known: string[];
  /** Docker has them, tsrun does not. */
  missing: string[];
  unknown(name: string): string;
}

const ATTRIBUTES = ['labels', 'labels-regex', 'env', 'env-regex', 'tag'];

/** Rotation is on by default for both: a log that fills the disk is the older complaint. */
const DRIVERS: Record<'json-file' | 'local', Driver> = {
  'json-file': {
    defaults: { 'max-file': '3', 'max-size': '10m' },
    known: ['compress', ...ATTRIBUTES],
    missing: ['max-buffer-size'],
    unknown: (name) => `unknown log opt '${name}' for json-file log driver`,
  },
  local: {
    defaults: { 'max-file': '5', 'max-size': '20m' },
    known: ['compress'],
    missing: ['max-buffer-size'],
    unknown: (name) => `unknown log opt '${name}' for log driver local`,
  },
};

export function parseLog(driver: string | undefined, texts: readonly string[]): LogIntent {
  const options = Object.fromEntries(texts.map(pair));
  const name = driver || 'json-file';
  if (name === 'none') {
    if (texts.length > 0) throw flagError('invalid logging opts for driver none');
    return {
      driver: name,
      maxSize: 0,
      maxFile: 1,
      compress: false,
      attributes: attributesOf({}),
      config: {},
    };
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
  const maxSize = sizeOf(config['max-size'] ?? '-1');
  // What was not asked for gives way.
  const rotates = maxFile > 1 && maxSize > 0;
  const compress =
    compressOf(config.compress ?? String(name === 'local')) && (rotates || options.compress !== undefined);
  if (compress && !rotates)
    throw failed('compress cannot be true when max-file is less than 2 or max-size is not set');
  return { driver: name, maxSize, maxFile, compress, attributes: attributesOf(config), config };
}

function pair(text: string): [string, string] {
  const at = text.indexOf('=');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function checkOption(driver: Driver, name: string, value: string): void {
  if (Object.hasOwn(driver.defaults, name) || driver.known.includes(name)) return;
  if (name === 'mode') {
    if (value === 'blocking') return;
    if (value !== 'non-blocking') throw usage(`logger: logging mode not supported: ${value}`, value);
  } else if (!driver.missing.includes(name)) throw usage(driver.unknown(name), name);
  throw usage(`the log option ${name}=${value} is not supported`, name);
}

function compressOf(text: string): boolean {
  const value = parseBool(text);
  if (value === undefined) throw failed(`strconv.ParseBool: parsing "${text}": invalid syntax`);
  return value;
}

function attributesOf(config: Readonly<Record<string, string>>): LogAttributes {
  return {
    labels: listOf(config.labels),
    env: listOf(config.env),
    labelsRegex: regexOf(config['labels-regex']),
    envRegex: regexOf(config['env-regex']),
    tag: config.tag ?? '',
  };
}

function listOf(text: string | undefined): string[] {
  return (text ?? '').split(',').filter((name) => name !== '');
}

function regexOf(text: string | undefined): RegExp | undefined {
  if (!text) return undefined;
  try {
    return new RegExp(text);
  } catch {
    throw failed(`error parsing regexp: ${text}`);
  }
}

/** -1 = never rotate. */
function sizeOf(text: string): number {
  if (text === '-1') return 0;
  try {
    return parseSize(text);
  } catch (error) {
    throw failed(error instanceof Error ? error.message : String(error));
  }
}

function filesOf(text: string): number {
  if (!/^[+-]?\d{1,9}$/.test(text)) {
    throw failed(`strconv.Atoi: parsing "${text}": invalid syntax`);
  }
  if (Number(text) < 1) throw failed('max-file cannot be less than 1');
  return Number(text);
}

function failed(reason: string) {
  return usage(`failed to initialize logging driver: ${reason}`);
}
