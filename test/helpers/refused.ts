import type { ExecutionContext } from 'ava';
import { type ErrorCode, TsrunError } from '../../src/errors.js';

/** Asserts that `action` throws a TsrunError of that code (one for what was typed, if none is given) with exactly that message. */
export function refused(
  t: ExecutionContext,
  action: () => unknown,
  message: string,
  ...codes: ErrorCode[]
): void {
  const error = t.throws(action, { instanceOf: TsrunError }, message);
  t.is(error?.message, message);
  const expected: readonly string[] = codes.length > 0 ? codes : ['USAGE', 'FLAG'];
  t.true(expected.includes(error?.code ?? ''), error?.code);
}
