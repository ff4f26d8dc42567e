/** `--detach-keys`: "ctrl-p,ctrl-q" -> the bytes that a terminal sends for them. */
import { usage } from './usage.js';

/** @throws TsrunError USAGE */
export function parseDetachKeys(text: string): number[] {
  return text.split(',').map((key) => keyCode(key, text));
}

/** Ctrl clears the upper bits of a character: @, a to z, [, \, ], ^ and _ give 0 to 31. */
function keyCode(key: string, text: string): number {
  const control = /^ctrl-([@a-z[\\\]^_])$/.exec(key)?.[1];
  if (control !== undefined) return (control.toUpperCase().codePointAt(0) ?? 0) & 0x1f;
  const code = key.codePointAt(0) ?? 0;
  if (key.length === 1 && code < 0x80) return code;
  throw usage(`invalid detach keys (${text}): Unknown character: '${key}'`, key);
}
