/** `--format` templates: parsed once, run per row. */
import { UsageError } from '../usage.js';
import { type EvalOptions, evaluate } from './template/eval.js';
import { FUNCTIONS, LOGIC, type TemplateFunction } from './template/functions.js';
import { TemplateError } from './template/lex.js';
import { parse } from './template/parse.js';

export type Template = (data: unknown) => string;

export interface TemplateOptions {
  /** Of the template, in error messages: "" for all verbs but version. */
  name?: string;
  print?: (text: string) => string;
  unknownField?: EvalOptions['unknownField'];
  functions?: ReadonlyMap<string, TemplateFunction>;
  /** Exit code of a template that cannot be parsed: 64 for inspect and version, as Docker has it. */
  parseExitCode?: number;
  /** Of both kinds of failure: 1 where nothing else is said. */
  exitCode?: number;
  /** The words before an error of each kind: "template parsing error: " where nothing else is said. */
  words?: { parse?: string; execute?: string };
}

/** A template that failed while it ran. */
export class TemplateFailure extends UsageError {
  constructor(
    message: string,
    exitCode: number,
    /** What it had printed by then. */
    readonly output: string,
  ) {
    super(message, exitCode, { usage: false });
  }
}

const WORDS = 'template parsing error: ';

/** @throws UsageError while it parses, TemplateFailure while it runs */
export function compileTemplate(source: string, options: TemplateOptions = {}): Template {
  const { name = '', words = {}, exitCode = 1, parseExitCode = exitCode } = options;
  const nodes = guard(words.parse ?? WORDS, parseExitCode, () =>
    parse(source, { name, isFunction: (word) => FUNCTIONS.has(word) || LOGIC.has(word) }),
  );
  const run = { ...options, name, source };
  return (data) => guard(words.execute ?? WORDS, exitCode, () => evaluate(nodes, data, run));
}

function guard<T>(words: string, exitCode: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new TemplateFailure(words + error.message, exitCode, error.output);
  }
}
