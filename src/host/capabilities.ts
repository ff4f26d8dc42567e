/** Masks of capabilities, as /proc shows them. */
import { CAPABILITIES } from '../types/capability-names.js';

export { CAPABILITIES };

/** `status` is the text of /proc/<pid>/status; bits that have no name yet are left out. */
export function boundingSet(status: string): string[] {
  const mask = /^CapBnd:\s*([0-9a-f]+)/m.exec(status)?.[1];
  if (mask === undefined) return [];
  const bits = BigInt(`0x${mask}`);
  return CAPABILITIES.filter((_, bit) => (bits >> BigInt(bit)) & 1n);
}
