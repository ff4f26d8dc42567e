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
}

/** @throws UsageError `template parsing error: …`, while it parses and while it runs. */
export function compileTemplate(source: string, options: TemplateOptions = {}): Template {
  const name = options.name ?? '';
  const nodes = guard(options.parseExitCode ?? 1, () =>
    parse(source, { name, isFunction: (word) => FUNCTIONS.has(word) || LOGIC.has(word) }),
  );
  return (data) => guard(1, () => evaluate(nodes, data, { ...options, name, source }));
}

function guard<T>(exitCode: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new UsageError(`template parsing error: ${error.message}`, exitCode, { usage: false });
  }
}
