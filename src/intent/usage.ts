/** The error that every parser of this room throws. */
import { TsrunError } from '../errors.js';

/** A flag or argument that cannot be understood: exit 125 for `run`, `create` and `exec`. */
export function usage(message: string, subject?: string, hint?: string): TsrunError {
  return new TsrunError('USAGE', message, { step: 'intent', subject, hint });
}

/** The sentence Docker's flag parser makes of a refused value; `flag` as it stands in the help, e.g. "-e, --env". */
export function badFlag(flag: string, value: string, reason: string): TsrunError {
  return usage(`invalid argument ${JSON.stringify(value)} for "${flag}" flag: ${reason}`, value);
}
