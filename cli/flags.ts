/**
 * Flags of a verb: the words of the command line are read by Docker's rules (pflag: clusters, `-m=text`, no
 * abbreviations, its error texts), then yargs gives them their types and defaults and lays out the help.
 */
import { UsageError } from './usage.js';

export interface Flag {
  name: string;
  short?: string;
  kind: 'bool' | 'string' | 'list' | 'int';
  help: string;
  default?: boolean | number | string;
  /** Accepted, not shown. */
  hidden?: boolean;
}

type ValueOf<F extends Flag> = F['kind'] extends 'bool'
  ? boolean
  : F['kind'] extends 'list'
    ? string[]
    : F['kind'] extends 'int'
      ? number | undefined
      : string | undefined;

export type FlagValues<F extends readonly Flag[]> = { [K in F[number] as K['name']]: ValueOf<K> };

/** One flag as read: canonical name, text of its value. */
export interface Token {
  flag: Flag;
  value: string;
}

export interface Scan {
  tokens: Token[];
  args: string[];
  /** --help was there: it wins over everything. */
  help: boolean;
}

const BOOL: Record<string, boolean> = Object.assign(Object.create(null), {
  ...Object.fromEntries(['1', 't', 'T', 'TRUE', 'true', 'True'].map((w) => [w, true])),
  ...Object.fromEntries(['0', 'f', 'F', 'FALSE', 'false', 'False'].map((w) => [w, false])),
});

/**
 * Reads `argv` against `flags`. With `interspersed` false, flags end at the first word that is none (run, create).
 * @throws UsageError with exit code 125 and Docker's text.
 */
export function scan(argv: readonly string[], flags: readonly Flag[], interspersed = true): Scan {
  const result: Scan = { tokens: [], args: [], help: false };
  const rest = [...argv];
  while (rest.length > 0) {
    const word = rest.shift() as string;
    if (word === '--') {
      result.args.push(...rest);
      break;
    }
    if (word.length > 2 && word.startsWith('--')) scanLong(word, rest, flags, result);
    else if (word.length > 1 && word.startsWith('-')) scanCluster(word, rest, flags, result);
    else if (interspersed) result.args.push(word);
    else {
      result.args.push(word, ...rest);
      break;
    }
    if (result.help) break;
  }
  return result;
}

function scanLong(word: string, rest: string[], flags: readonly Flag[], into: Scan): void {
  const equals = word.indexOf('=');
  const name = equals < 0 ? word.slice(2) : word.slice(2, equals);
  if (name === '' || name.startsWith('-')) throw new UsageError(`bad flag syntax: ${word}`, 125);
  const flag = flags.find((f) => f.name === name);
  if (flag === undefined) {
    if (name !== 'help') throw new UsageError(`unknown flag: --${name}`, 125);
    into.help = true;
    return;
  }
  if (equals >= 0) push(into, flag, word.slice(equals + 1));
  else if (flag.kind === 'bool') push(into, flag, 'true');
  else {
    const value = rest.shift();
    if (value === undefined) throw new UsageError(`flag needs an argument: --${name}`, 125);
    push(into, flag, value);
  }
}

function scanCluster(word: string, rest: string[], flags: readonly Flag[], into: Scan): void {
  let letters = word.slice(1);
  while (letters.length > 0) {
    const letter = String.fromCodePoint(letters.codePointAt(0) as number);
    const flag = flags.find((f) => f.short === letter);
    const after = letters.slice(letter.length);
    if (flag === undefined) {
      if (letter !== 'h') throw new UsageError(`unknown shorthand flag: '${letter}' in -${letters}`, 125);
      into.help = true;
      return;
    }
    if (flag.kind === 'bool' && !/^=./s.test(after)) {
      push(into, flag, 'true');
      letters = after;
      continue;
    }
    const value = after === '' ? rest.shift() : after.replace(/^=/, '');
    if (value === undefined) throw new UsageError(`flag needs an argument: '${letter}' in -${letters}`, 125);
    push(into, flag, value);
    return;
  }
}

function push(into: Scan, flag: Flag, value: string): void {
  const title = flag.short === undefined ? `--${flag.name}` : `-${flag.short}, --${flag.name}`;
  const invalid = (reader: string) =>
    new UsageError(
      `invalid argument ${JSON.stringify(value)} for "${title}" flag: strconv.${reader}: parsing ${JSON.stringify(value)}: invalid syntax`,
      125,
    );
  if (flag.kind === 'bool') {
    const truth = BOOL[value];
    if (truth === undefined) throw invalid('ParseBool');
    into.tokens.push({ flag, value: String(truth) });
    return;
  }
  if (flag.kind === 'int' && !/^[+-]?[0-9]+$/.test(value)) throw invalid('ParseInt');
  into.tokens.push({ flag, value });
}
