/** An error as the user reads it: the cause, then the failing step, then what may help. A stack only with --debug. */
import { TsrunError } from '../../src/errors.js';
import { UsageError } from '../usage.js';
import { escapeForText } from './escape.js';

export interface ErrorView {
  /** "tsrun run" where the text ends with a pointer to the help (run and create). */
  helpFor?: string;
  debug: boolean;
}

export function renderError(error: unknown, view: ErrorView): string {
  const lines = error instanceof Error ? describe(error) : [`tsrun: ${String(error)}`];
  if (view.debug && error instanceof Error && !(error instanceof UsageError)) lines.push(...stackOf(error));
  if (view.helpFor !== undefined) lines.push('', `Run '${view.helpFor} --help' for more information`);
  return escapeForText(`${lines.join('\n')}\n`);
}

function describe(error: Error): string[] {
  if (error instanceof UsageError) return [error.message];
  // What the kernel refused and nobody had better words for.
  if (isSystemError(error)) return [`tsrun: ${firstLine(error.message)}`];
  if (!(error instanceof TsrunError))
    return [
      `tsrun: ${firstLine(error.message)}`,
      '  this is a bug in tsrun; run it again with --debug for the details',
    ];
  const lines = [`tsrun: ${error.message}`];
  if (error.step !== undefined) lines.push(`  step: ${error.step}${error.errno ? ` (${error.errno})` : ''}`);
  else if (error.errno !== undefined) lines.push(`  errno: ${error.errno}`);
  if (error.subject !== undefined && !error.message.includes(error.subject))
    lines.push(`  subject: ${error.subject}`);
  if (error.hint !== undefined) lines.push(`  hint: ${error.hint}`);
  return lines;
}

function isSystemError(error: Error): boolean {
  return 'syscall' in error && 'errno' in error;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}

function stackOf(error: Error): string[] {
  const lines = (error.stack ?? String(error)).split('\n');
  return error.cause instanceof Error ? [...lines, 'caused by:', ...stackOf(error.cause)] : lines;
}
