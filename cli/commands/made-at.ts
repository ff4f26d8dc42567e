/** `--timestamp` and SOURCE_DATE_EPOCH: when an image says that it was made. */
import type { Cli } from '../command.js';
import type { Flag } from '../flags.js';
import { UsageError } from '../usage.js';

export const TIMESTAMP = {
  name: 'timestamp',
  kind: 'int',
  help: 'When the image was made, in seconds since 1970, for images that can be made again to the bit [$SOURCE_DATE_EPOCH]',
} as const satisfies Flag;

/** Seconds since 1970; undefined = now. A value that is none is never taken for another. */
export function madeAt({ env }: Pick<Cli, 'env'>, flag: number | undefined): number | undefined {
  const { SOURCE_DATE_EPOCH: text } = env;
  if (flag !== undefined || !text) return flag;
  if (/^\d+$/.test(text)) return Number(text);
  throw new UsageError(
    `tsrun: SOURCE_DATE_EPOCH is ${JSON.stringify(text)}: seconds since 1970 are needed`,
    1,
    { usage: false },
  );
}
