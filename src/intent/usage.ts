/** The errors that the parsers of this room throw. */
import { TsrunError } from '../errors.js';

/** An argument that was read and makes no sense for a container. */
export function usage(message: string, subject?: string, hint?: string): TsrunError {
  return new TsrunError('USAGE', message, { step: 'intent', subject, hint });
}

/** Words of the command line that cannot be read, without a look at image or machine: exit 125 for every verb. */
export function flagError(message: string, subject?: string, hint?: string): TsrunError {
  return new TsrunError('FLAG', message, { step: 'intent', subject, hint });
}

/** The sentence Docker's flag parser makes of a refused value; `flag` as it stands in the help, e.g. "-e, --env". */
export function badFlag(flag: string, value: string, reason: string): TsrunError {
  return flagError(`invalid argument ${JSON.stringify(value)} for "${flag}" flag: ${reason}`, value);
}
