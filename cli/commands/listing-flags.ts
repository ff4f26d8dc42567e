/** Flags that the listing verbs share. */
import type { Flag } from '../flags.js';

export const NO_TRUNC = {
  name: 'no-trunc',
  kind: 'bool',
  help: "Don't truncate output",
} as const satisfies Flag;
export const FORMAT = {
  name: 'format',
  kind: 'string',
  help: "'table', 'table TEMPLATE', 'json' or a Go template",
} as const satisfies Flag;
export const FILTER = {
  name: 'filter',
  short: 'f',
  kind: 'list',
  help: 'Only what matches KEY=VALUE; same key: any, different keys: all',
} as const satisfies Flag;
