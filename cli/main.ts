/** argv in, exit code out: reads the global flags, finds the verb, shows its error. */
import { exitCodeOf, TsrunError } from '../src/errors.js';
import type { Engine, TraceEvent } from '../src/types/engine.js';
import { type AnyCommand, type Cli, checkArgs } from './command.js';
import { COMMANDS, type Found, findCommand, GROUPS } from './commands/table.js';
import { type Io, makeCli } from './context.js';
import { scan } from './flags.js';
import { commandHelp, GLOBAL_FLAGS, GLOBAL_USAGE, globalHelp, groupHelp } from './help.js';
import { typedValues } from './parser.js';
import { renderError } from './render/error.js';
import { escapeForText } from './render/escape.js';
import { BrokenPipe, UsageError } from './usage.js';
import { version } from './version.js';

export interface Globals {
  root: string | undefined;
  debug: boolean;
}

/** The exit code of 128 + SIGPIPE: what a program gets that writes to a closed pipe. */
const BROKEN_PIPE = 141;
/** 128 + SIGINT */
const CANCELLED = 130;

/** `makeEngine` is called once, by the first verb that needs it. Never throws. */
export async function main(
  argv: readonly string[],
  io: Io,
  makeEngine: (globals: Globals, onTrace?: (event: TraceEvent) => void) => Promise<Engine>,
): Promise<number> {
  const globals: Globals = { root: undefined, debug: false };
  let found: Found | undefined;
  let command: AnyCommand | undefined;
  try {
    const { tokens, args, help } = scan(argv, GLOBAL_FLAGS, false);
    for (const { flag, value } of tokens) {
      if (flag.name === 'root') globals.root = directoryOf(value);
      if (flag.name === 'debug') globals.debug = value === 'true';
      if (flag.name === 'version' && value === 'true') {
        io.out(`tsrun version ${version()}\n`);
        return 0;
      }
    }
    const words = args[0] === 'help' ? [...args.slice(1), '--help'] : args;
    if (help || words.length === 0 || words[0] === '--help') {
      io.out(`${await globalHelp(io.columns(1) ?? 80)}\n`);
      return 0;
    }
    found = findCommand(words);
    if (found === undefined) return await unfound(words, io);
    command = (await found.entry.load()).command;
    const cli = makeCli(io, globals, `tsrun ${found.name}`, makeEngine);
    return await runCommand(found, command, cli);
  } catch (error) {
    return fail(error, { io, globals, found, command });
  }
}

async function runCommand(found: Found, command: AnyCommand, cli: Cli): Promise<number> {
  const { tokens, args, help } = scan(found.rest, command.flags, command.interspersed);
  if (help) {
    cli.out(`${await commandHelp(found.entry, found.name, command, cli.columns(1) ?? 80)}\n`);
    return 0;
  }
  checkArgs(cli.path, command, args.length);
  return (await command.run(cli, typedValues(tokens, command.flags), args)) ?? 0;
}

function directoryOf(value: string): string {
  if (value === '')
    throw new UsageError('invalid argument "" for "--root" flag: a directory is needed', 125, {
      usage: false,
    });
  return value;
}

/** A group alone shows its help; anything else is a word that means nothing. */
async function unfound(words: readonly string[], io: Io): Promise<number> {
  const [first = '', second] = words;
  if (first in GROUPS && (second === undefined || second === '--help' || second === '-h')) {
    io.out(groupHelp(first));
    return 0;
  }
  const path = first in GROUPS ? `tsrun ${first}` : 'tsrun';
  const word = first in GROUPS ? `${first} ${second}` : first;
  const usage = first in GROUPS ? `\nUsage:  ${path}\n` : '';
  if (first in GROUPS && second?.startsWith('-'))
    throw new UsageError(
      `unknown flag: ${second}\n\nUsage:  ${path} COMMAND\n\nRun '${path} --help' for more information`,
      125,
      {
        usage: false,
      },
    );
  const text = `tsrun: unknown command: tsrun ${word}\n${similar(word)}${usage}`;
  io.err(escapeForText(`${text}\nRun '${path} --help' for more information\n`));
  return 1;
}

/** Verbs that differ in one letter, or by an exchange of two. */
function similar(word: string): string {
  const near = COMMANDS.flatMap((entry) => entry.names).filter((name) => isNear(name, word));
  return near.length === 0 ? '' : `\nDid you mean: ${near.join(', ')}?\n`;
}

function isNear(a: string, b: string): boolean {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  const room = Math.min(a.length, b.length) - start;
  while (end < room && a.at(-1 - end) === b.at(-1 - end)) end += 1;
  const [x, y] = [a.slice(start, a.length - end), b.slice(start, b.length - end)];
  if (a.length < 3) return false;
  return (x.length <= 1 && y.length <= 1) || (x.length === 2 && x[0] === y[1] && x[1] === y[0]);
}

interface Failed {
  io: Io;
  globals: Globals;
  found?: Found;
  command?: AnyCommand;
}

function fail(error: unknown, { io, globals, found, command }: Failed): number {
  if (error instanceof BrokenPipe) {
    // `tsrun ps | head -1` ends without a word; a container that was attached runs on, and that is said.
    if (command?.runLike) io.err(`tsrun: ${error.message}\n`);
    return BROKEN_PIPE;
  }
  const path = found ? `tsrun ${found.name}` : 'tsrun';
  if (error instanceof UsageError) {
    const usage = found ? `${path} ${command?.usage ?? ''}`.trimEnd() : GLOBAL_USAGE;
    const more = error.showUsage ? `\nUsage:  ${usage}\n\nRun '${path} --help' for more information\n` : '';
    io.err(renderError(error, { debug: false }) + more);
    return error.exitCode;
  }
  if (error instanceof TsrunError && error.code === 'CANCELLED') {
    // The user did it: no advice, and the code of a program that SIGINT ended.
    io.err(renderError(error, { debug: globals.debug }));
    return CANCELLED;
  }
  const helpFor = command?.runLike === true ? path : undefined;
  io.err(renderError(error, { helpFor, debug: globals.debug }));
  return exitCodeOf(error, command?.runLike ?? false);
}
