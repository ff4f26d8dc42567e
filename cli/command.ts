/** What a verb is: flags, number of arguments, one function. Commands are found in table.ts and loaded when used. */
import type { Engine } from '../src/types/engine.js';
import type { Flag, FlagValues } from './flags.js';
import type { Sink } from './output.js';
import { UsageError } from './usage.js';

/** What a verb may use of the outside: the engine, the terminal, the environment. */
export interface Cli {
  readonly env: Record<string, string | undefined>;
  /** "tsrun run", as messages name the verb. */
  readonly path: string;
  readonly debug: boolean;
  engine(): Promise<Engine>;
  /** Short output: all of it is written when the call returns. */
  out(text: string | Uint8Array): void;
  err(text: string): void;
  /** A message of a failure that does not end the verb (one of several targets). */
  report(error: unknown): void;
  /** Long output, with back-pressure. */
  sink(fd: 1 | 2): Sink;
  isTty(fd: 0 | 1 | 2): boolean;
  /** Columns of the terminal on `fd`, undefined when it is none. */
  columns(fd: 1 | 2): number | undefined;
}

export interface Command<F extends readonly Flag[] = readonly Flag[]> {
  /** After the verb: "[OPTIONS] IMAGE [COMMAND] [ARG...]" */
  usage: string;
  flags: F;
  min: number;
  max: number;
  /** False: flags end at the first argument. */
  interspersed?: boolean;
  /** Exit codes 125 to 127; for run also a pointer to the help after an error. */
  runLike?: boolean | 'exec';
  examples?: readonly (readonly [command: string, what: string])[];
  /** Resolves with the exit code, or nothing for 0. */
  run(cli: Cli, flags: FlagValues<F>, args: string[]): Promise<number | undefined>;
}

/** A command whose flag types are kept by `run` and no longer needed outside. */
export interface AnyCommand extends Omit<Command, 'run'> {
  run(cli: Cli, flags: Record<string, unknown>, args: string[]): Promise<number | undefined>;
}

export function defineCommand<const F extends readonly Flag[]>(command: Command<F>): AnyCommand {
  return { ...command, run: (cli, flags, args) => command.run(cli, flags as FlagValues<F>, args) };
}

/** @throws UsageError (exit 1), in Docker's words. */
export function checkArgs(path: string, command: Pick<AnyCommand, 'min' | 'max'>, count: number): void {
  const { min, max } = command;
  if (count >= min && count <= max) return;
  const s = (n: number) => (n === 1 ? '' : 's');
  const needs =
    max === 0
      ? 'accepts no arguments'
      : min === max
        ? `requires ${min} argument${s(min)}`
        : max === Number.POSITIVE_INFINITY
          ? `requires at least ${min} argument${s(min)}`
          : min === 0
            ? `requires at most ${max} argument${s(max)}`
            : `requires at least ${min} and at most ${max} arguments`;
  throw new UsageError(`tsrun: '${path}' ${needs}`, 1);
}

/**
 * Works through all targets, prints each success as it comes, and the errors at the end.
 * `isFine` names errors that are told and still exit 0 (rm -f of something that does not exist).
 */
export async function forEachTarget(
  cli: Cli,
  targets: readonly string[],
  work: (target: string) => Promise<void>,
  isFine: (error: unknown) => boolean = () => false,
): Promise<number> {
  const errors: unknown[] = [];
  for (const target of targets) {
    try {
      await work(target);
    } catch (error) {
      errors.push(error);
    }
  }
  for (const error of errors) cli.report(error);
  return errors.every(isFine) ? 0 : 1;
}

/** Containers that are worked on at the same time: a `stop` of ten takes as long as the slowest of them. */
const AT_ONCE = 16;

/** As {@link forEachTarget}, several at once; the names are printed by the order of the command line, as with Docker. */
export async function forAllTargets(
  cli: Cli,
  targets: readonly string[],
  operate: (target: string) => Promise<void>,
  isFine?: (error: unknown) => boolean,
): Promise<number> {
  const waiting = targets.map((target) => {
    let begin = () => {};
    const turn = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const done = turn.then(() => operate(target));
    done.catch(() => {}); // told when its turn to be printed comes
    return { begin, done };
  });
  let begun = 0;
  const next = () => waiting[begun++]?.begin();
  for (const { done } of waiting) done.then(next, next);
  for (let i = 0; i < AT_ONCE; i++) next();
  let index = 0;
  return forEachTarget(
    cli,
    targets,
    async (target) => {
      await waiting[index++]?.done;
      cli.out(`${target}\n`);
    },
    isFine,
  );
}
