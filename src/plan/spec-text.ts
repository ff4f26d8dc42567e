/** config.json as text. */
import type { RuntimeSpec } from '../types/oci.js';
import { RLIM_INFINITY } from './rlimits.js';

/**
 * "Unlimited" is 2^64-1, which a JavaScript number cannot hold: it is kept as 2^64 and written as the spec wants it. A
 * string cannot be hit: a quote inside one is escaped.
 */
export function specText(spec: RuntimeSpec): string {
  return JSON.stringify(spec).replaceAll(
    new RegExp(`("(?:hard|soft)":)${RLIM_INFINITY}(?=[,}])`, 'g'),
    (_, key: string) => `${key}18446744073709551615`,
  );
}
