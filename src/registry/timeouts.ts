/** Servers that do not answer, or no longer. Their errors have the code ETIMEDOUT, as the kernel's own. */

export const TIMED_OUT = {
  connect: 'the connection timed out',
  head: 'the server does not answer',
  body: 'the server stopped sending',
} as const;

export function timeout(text: string): Error {
  return Object.assign(new Error(text), { code: 'ETIMEDOUT' });
}
