/** Shape of `-u NAME|UID[:NAME|GID]`. Names are looked up by the helper, inside the container's root. */
import { usage } from './usage.js';

const MAX_ID = 2 ** 31 - 1;

/**
 * Returns the text as it is, so that the helper gets what was typed; refuses only what no container can have. A
 * number out of range must never wrap round to 0.
 */
export function parseUser(text: string): string {
  if (/[\0\n]/.test(text)) throw usage(`invalid user: ${JSON.stringify(text)}`, text);
  for (const part of text.split(':')) checkId(part);
  return text;
}

function checkId(part: string): void {
  if (!/^[+-]?\d+$/.test(part)) return;
  const id = Number(part);
  if (/^\d+$/.test(part) && id <= MAX_ID) return;
  throw usage(`uids and gids must be in range 0-${MAX_ID}`, part);
}
