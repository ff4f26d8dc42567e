/** What the three inspect verbs share: find each name, print all that was found, then the errors. */
import { TsrunError } from '../../src/errors.js';
import type { Cli } from '../command.js';
import { escapeForText } from '../render/escape.js';
import { goJson } from '../render/template/value.js';
import { compileTemplate } from '../render/template.js';

export type Find = (name: string) => Promise<object>;

/** Exit code 1 if a name was not found; what was found is printed in any case, `[]` if nothing. */
export async function inspectObjects(
  cli: Cli,
  names: readonly string[],
  format: string | undefined,
  find: Find,
) {
  const print = cli.isTty(1) ? escapeForText : undefined;
  const text =
    format && format !== 'json'
      ? compileTemplate(format, { print, unknownField, parseExitCode: 64 })
      : undefined;
  const found: object[] = [];
  const errors: unknown[] = [];
  for (const name of names) {
    try {
      const object = await find(name);
      if (text) cli.out(`${text(object)}\n`);
      found.push(object);
    } catch (error) {
      errors.push(error);
    }
  }
  if (format === 'json') cli.out(`${goJson(found)}\n`);
  else if (!text) cli.out(found.length === 0 ? '[]\n' : `${goJson(found, '    ')}\n`);
  for (const error of errors) cli.report(error);
  return errors.length > 0 ? 1 : 0;
}

/** The first kind that knows the name. */
export async function firstOf(name: string, finds: readonly Find[]): Promise<object> {
  for (const find of finds) {
    try {
      return await find(name);
    } catch (error) {
      if (!(error instanceof TsrunError && error.code === 'NOT_FOUND')) throw error;
    }
  }
  throw new TsrunError('NOT_FOUND', `No such object: ${name}`, { subject: name });
}

/** Docker tries the raw document last, and that is the error people see. */
function unknownField(name: string): string {
  return `map has no entry for key "${name}"`;
}
