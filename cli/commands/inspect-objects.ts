/** What the three inspect verbs share: find each name, print all that was found, then the errors. */
import { TsrunError } from '../../src/errors.js';
import type { Cli } from '../command.js';
import { escapeForText } from '../render/escape.js';
import type { EvalOptions } from '../render/template/eval.js';
import { asDocuments, asStruct } from '../render/template/struct.js';
import { goJson } from '../render/template/value.js';
import { compileTemplate, type Template, TemplateFailure, type TemplateOptions } from '../render/template.js';

export type Find = (name: string) => Promise<object>;

/** Exit code 1 if a name was not found; what was found is printed in any case, `[]` if nothing. */
export async function inspectObjects(
  cli: Cli,
  names: readonly string[],
  format: string | undefined,
  find: Find,
  unknownField?: EvalOptions['unknownField'],
): Promise<number> {
  const print = cli.isTty(1) ? escapeForText : undefined;
  const text = format && format !== 'json' ? templateOf(format, { print, unknownField }) : undefined;
  const found: object[] = [];
  let printed = '';
  const errors: unknown[] = [];
  for (const name of names) {
    try {
      const object = await find(name);
      if (text) printed += `${text(object)}\n`;
      found.push(object);
    } catch (error) {
      errors.push(error);
    }
  }
  if (text) cli.out(printed || '\n');
  else if (format === 'json') cli.out(`${goJson(found)}\n`);
  else cli.out(found.length === 0 ? '[]\n' : `${goJson(found, '    ')}\n`);
  for (const error of errors) cli.report(error);
  return errors.length > 0 ? 1 : 0;
}

/** The first kind that knows the name; what cannot be a name of one kind may be one of another. */
export async function firstOf(name: string, finds: readonly Find[]): Promise<object> {
  for (const find of finds) {
    try {
      return await find(name);
    } catch (error) {
      if (!(error instanceof TsrunError && (error.code === 'NOT_FOUND' || error.code === 'USAGE')))
        throw error;
    }
  }
  throw new TsrunError('NOT_FOUND', `No such object: ${name}`, { subject: name });
}

/** With `unknownField` it is a struct alone; else the document is tried last, and its error is what people see. */
function templateOf(format: string, options: TemplateOptions): Template {
  const struct = compileTemplate(format, { ...options, parseExitCode: 64 });
  if (options.unknownField !== undefined) return struct;
  const unknownField = (name: string) => `can't evaluate field ${name} in type interface {}`;
  return (object) => {
    try {
      return struct(asStruct(object as object));
    } catch (error) {
      if (!(error instanceof TemplateFailure)) throw error;
      return compileTemplate(format, { ...options, unknownField })(asDocuments(object));
    }
  };
}
