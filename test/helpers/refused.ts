import type { ExecutionContext } from 'ava';
import { type ErrorCode, TsrunError } from '../../src/errors.js';

/** Asserts that `action` throws a TsrunError of that code with exactly that message. */
export function refused(
  t: ExecutionContext,
  action: () => unknown,
  message: string,
  code: ErrorCode = 'USAGE',
): void {
  const error = t.throws(action, { instanceOf: TsrunError }, message);
  t.is(error?.message, message);
  t.is(error?.code, code);
}
