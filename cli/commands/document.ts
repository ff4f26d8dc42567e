/** `info` and `version`: one document, as JSON or by the user's template. */
import type { Cli } from '../command.js';
import { escapeForText } from '../render/escape.js';
import { asNamed, goJson } from '../render/template/value.js';
import { compileTemplate, TemplateFailure } from '../render/template.js';

/** `type` and `name` are what Go calls the document and the template in errors. What was printed before one stays. */
export function printDocument(
  cli: Cli,
  format: string,
  document: object,
  { type, name }: { type: string; name: string },
): void {
  if (format === 'json') {
    cli.out(`${goJson(document)}\n`);
    return;
  }
  const print = cli.isTty(1) ? escapeForText : undefined;
  const template = compileTemplate(format, { name, print, parseExitCode: 64, words: { execute: '' } });
  try {
    cli.out(`${template(asNamed(document, type))}\n`);
  } catch (error) {
    if (error instanceof TemplateFailure) cli.out(`${error.output}\n`);
    throw error;
  }
}
