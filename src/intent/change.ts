/** `commit -c INSTRUCTION`: Dockerfile instructions that change an image's config. Variables are put in by the plan. */
import { parseDuration } from './duration.js';
import { usage } from './usage.js';
import { splitWords } from './words.js';

/** An argument list: ["a", "b"] as such, or a line for the image's shell. */
export type CommandForm = { argv: string[] } | { shell: string };

/** Texts named `raw` still hold quotes and variables. */
export type Change =
  | { kind: 'cmd' | 'entrypoint'; command: CommandForm }
  | { kind: 'env' | 'label'; raw: [name: string, value: string][] }
  | { kind: 'expose' | 'volume'; raw: string[] }
  | { kind: 'stopsignal' | 'user' | 'workdir'; raw: string }
  | { kind: 'onbuild'; trigger: string }
  | { kind: 'healthcheck'; check: HealthChange };

export interface HealthChange {
  /** undefined = NONE */
  command?: CommandForm;
  /** nanoseconds */
  interval?: number;
  timeout?: number;
  startPeriod?: number;
  startInterval?: number;
  retries?: number;
}

type Parser = (rest: string) => Change;

const INSTRUCTIONS: Record<string, Parser> = {
  cmd: (rest) => ({ kind: 'cmd', command: commandForm(rest) }),
  entrypoint: (rest) => ({ kind: 'entrypoint', command: commandForm(rest) }),
  env: (rest) => ({ kind: 'env', raw: nameValues('ENV', rest) }),
  label: (rest) => ({ kind: 'label', raw: nameValues('LABEL', rest) }),
  expose: (rest) => ({ kind: 'expose', raw: needed('EXPOSE', splitWords(rest)) }),
  volume: (rest) => ({ kind: 'volume', raw: needed('VOLUME', jsonStrings(rest) ?? splitWords(rest)) }),
  user: (rest) => ({ kind: 'user', raw: exactlyOne('USER', rest) }),
  workdir: (rest) => ({ kind: 'workdir', raw: exactlyOne('WORKDIR', rest) }),
  stopsignal: (rest) => ({ kind: 'stopsignal', raw: exactlyOne('STOPSIGNAL', rest) }),
  onbuild: (rest) => ({ kind: 'onbuild', trigger: trigger(rest) }),
  healthcheck: (rest) => ({ kind: 'healthcheck', check: healthcheck(rest) }),
};

/** Each text may hold several lines, comments and lines continued by a backslash, like a Dockerfile. */
export function parseChanges(texts: readonly string[]): Change[] {
  const lines = texts.flatMap((text) => instructionLines(text));
  if (lines.length === 0 && texts.length > 0) throw usage('file with no instructions');
  return lines.map(parseLine);
}

function parseLine(line: string): Change {
  const [, word = '', rest = ''] = /^(\S+)\s*(.*)$/.exec(line) ?? [];
  const name = word.toLowerCase();
  const parser = Object.hasOwn(INSTRUCTIONS, name) ? INSTRUCTIONS[name] : undefined;
  if (parser) return parser(rest.trimEnd());
  throw usage(
    `${name} is not a valid change command`,
    line,
    `known: ${Object.keys(INSTRUCTIONS).join(', ')}`,
  );
}

function instructionLines(text: string): string[] {
  const lines = text.split('\n').filter((line) => !line.trimStart().startsWith('#'));
  const joined = lines.join('\n').replace(/\\[ \t]*\n/g, '');
  return joined
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/** JSON decides: anything that is not a list of strings is a line for the shell. */
function commandForm(rest: string): CommandForm {
  const argv = jsonStrings(rest);
  return argv ? { argv } : { shell: rest };
}

function jsonStrings(text: string): string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    const isList = Array.isArray(value) && value.every((item) => typeof item === 'string');
    return isList ? value : undefined;
  } catch {
    return undefined;
  }
}

/** NAME=VALUE pairs, or the old form with one name and the rest of the line. */
function nameValues(instruction: string, rest: string): [string, string][] {
  const words = needed(instruction, splitWords(rest));
  if (!words[0]?.includes('=')) {
    const [, name = '', value = ''] = /^(\S+)\s*(.*)$/.exec(rest) ?? [];
    if (value === '') throw usage(`${instruction} must have two arguments`, rest);
    return [[name, value]];
  }
  return words.map((word) => {
    const at = word.indexOf('=');
    if (at < 0) {
      throw usage(`Syntax error - can't find = in "${word}". Must be of the form: name=value`, word);
    }
    if (at === 0) throw usage(`${instruction} names can not be blank`, word);
    return [word.slice(0, at), word.slice(at + 1)];
  });
}

function needed(instruction: string, words: string[]): string[] {
  if (words.length === 0) throw usage(`${instruction} requires at least one argument`);
  return words;
}

function exactlyOne(instruction: string, rest: string): string {
  if (rest === '') throw usage(`${instruction} requires exactly one argument`);
  return rest;
}

function trigger(rest: string): string {
  const [first = ''] = needed('ONBUILD', splitWords(rest));
  const instruction = first.toUpperCase();
  if (instruction === 'ONBUILD') throw usage("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed", rest);
  if (instruction === 'FROM' || instruction === 'MAINTAINER') {
    throw usage(`${instruction} isn't allowed as an ONBUILD trigger`, rest);
  }
  return rest;
}

/** flag -> field of HealthChange; all but retries are durations. */
const HEALTH_FLAGS = {
  interval: 'interval',
  timeout: 'timeout',
  'start-period': 'startPeriod',
  'start-interval': 'startInterval',
  retries: 'retries',
} as const;

const MIN_INTERVAL = 1e6;

function healthcheck(rest: string): HealthChange {
  const check: HealthChange = {};
  let text = rest;
  for (let flag = healthFlag(text); flag; flag = healthFlag(text)) {
    const [whole, name, value] = flag;
    if (!isHealthFlag(name)) throw usage(`Unknown flag: ${name}`, whole);
    check[HEALTH_FLAGS[name]] = name === 'retries' ? retries(value) : interval(name, value);
    text = text.slice(whole.length);
  }
  const [, word = '', command = ''] = /^(\S*)\s*(.*)$/.exec(text) ?? [];
  const type = word.toUpperCase();
  if (type === '') throw usage('HEALTHCHECK requires at least one argument');
  if (type === 'NONE') {
    if (command !== '') throw usage('HEALTHCHECK NONE takes no arguments', rest);
    return {};
  }
  if (type !== 'CMD') throw usage(`Unknown type "${type}" in HEALTHCHECK (try CMD)`, rest);
  if (command === '') throw usage('Missing command after HEALTHCHECK CMD', rest);
  return { ...check, command: commandForm(command) };
}

function healthFlag(text: string): [whole: string, name: string, value: string] | undefined {
  const match = /^--([^\s=]+)(?:=(\S*))?\s*/.exec(text);
  return match ? [match[0], match[1] ?? '', match[2] ?? ''] : undefined;
}

function isHealthFlag(name: string): name is keyof typeof HEALTH_FLAGS {
  return Object.hasOwn(HEALTH_FLAGS, name);
}

function interval(name: string, value: string): number {
  const nanoseconds = parseDuration(value);
  if (nanoseconds < MIN_INTERVAL) throw usage(`Interval "${name}" cannot be less than 1ms`, value);
  return nanoseconds;
}

function retries(value: string): number {
  if (!/^[+-]?\d+$/.test(value)) throw usage(`strconv.ParseInt: parsing "${value}": invalid syntax`, value);
  if (Number(value) < 1) throw usage(`--retries must be at least 1 (not ${Number(value)})`, value);
  return Number(value);
}
