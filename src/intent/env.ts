/** `-e`, `--env-file` and labels: lists of NAME=VALUE in Docker's grammar. */
import { badFlag, flagError } from './usage.js';

/** One step on the way from the image's environment to the process's: set a variable, or take it away. */
export type EnvChange = { name: string; value: string } | { remove: string };

export interface EnvFile {
  /** As the user typed it; for messages only. */
  path: string;
  /** Bytes are checked to be UTF-8; a string is taken to have been. */
  text: string | Uint8Array;
}

type HostEnv = Readonly<Record<string, string | undefined>>;

const BOM = '\uFEFF';
// Go's unicode.IsSpace: unlike \s it has U+0085 and lacks U+FEFF.
const SPACE = /[\t\n\v\f\r \u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]/u;
const LEADING_SPACE = new RegExp(`^${SPACE.source}+`, 'u');
const LABEL_SPACE = /[ \t]/;

/** `-e NAME=VALUE`, or `-e NAME`, which copies the caller's value and, where there is none, removes the image's. */
export function parseEnv(text: string, hostEnv: HostEnv): EnvChange {
  const { name, value } = cut(text);
  if (name === '') throw badFlag('-e, --env', text, `invalid environment variable: ${text}`);
  if (value !== undefined) return { name, value };
  const inherited = hostEnv[name];
  return inherited === undefined ? { remove: name } : { name, value: inherited };
}

/**
 * The variables of one `--env-file`: a line each, blanks before the name dropped, everything after `=` kept as it is
 * (no quotes), `#` a comment only at the start. A bare name copies the caller's value and is skipped without one.
 */
export function parseEnvFile(file: EnvFile, hostEnv: HostEnv): EnvChange[] {
  return fileVariables(file).flatMap(({ name, value = hostEnv[name] }) =>
    value === undefined ? [] : [{ name, value }],
  );
}

/** `--annotation NAME[=VALUE]` */
export function parseAnnotations(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(texts.map(cut).map(({ name, value = '' }) => [name, value]));
}

function fileVariables(file: EnvFile): { name: string; value?: string }[] {
  const lines = fileLines(file).filter((line) => line !== '' && !line.startsWith('#'));
  return lines.map((line) => {
    const { name, value } = cut(line);
    if (name === '') throw badFile(file, `no variable name on line '${line}'`);
    if (SPACE.test(name)) throw badFile(file, `variable '${name}' contains whitespaces`);
    return { name, value };
  });
}

/**
 * The labels of the `--label-file`s, then `-l NAME[=VALUE]`; the last one wins. A bare name in a file is passed over:
 * it would copy a variable, and labels have none to copy.
 */
export function parseLabels(
  texts: readonly string[],
  files: readonly EnvFile[] = [],
): Record<string, string> {
  const labels = new Map<string, string>();
  for (const { name, value } of files.flatMap((file) => fileVariables(file))) {
    if (value !== undefined) labels.set(name, value);
  }
  for (const text of texts) {
    const { name, value } = cut(text);
    const key = name.replace(/^[ \t]+/, '');
    if (key === '') throw badFlag('-l, --label', text, `invalid label '${text}': empty name`);
    if (LABEL_SPACE.test(key)) throw badFlag('-l, --label', text, `label '${key}' contains whitespaces`);
    labels.set(name, value ?? '');
  }
  // Not an object literal per label: `__proto__` is a label like any other.
  return Object.fromEntries(labels);
}

function fileLines(file: EnvFile): string[] {
  const lines =
    typeof file.text === 'string' ? file.text.split('\n') : splitBytes(file.text).map(decodeLine(file));
  return lines.map((line, index) => {
    const text = index === 0 && line.startsWith(BOM) ? line.slice(1) : line;
    return text.replace(/\r$/, '').replace(LEADING_SPACE, '');
  });
}

function decodeLine(file: EnvFile): (bytes: Uint8Array, index: number) => string {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  return (bytes, index) => {
    try {
      return decoder.decode(bytes);
    } catch {
      throw badFile(file, `invalid utf8 bytes at line ${index + 1}: [${bytes.join(' ')}]`);
    }
  };
}

function splitBytes(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  let start = 0;
  for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
    lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
  lines.push(bytes.subarray(start));
  return lines;
}

function badFile(file: EnvFile, reason: string): Error {
  return flagError(`invalid env file (${file.path}): ${reason}`, file.path);
}

function cut(text: string): { name: string; value?: string } {
  const at = text.indexOf('=');
  return at < 0 ? { name: text } : { name: text.slice(0, at), value: text.slice(at + 1) };
}
