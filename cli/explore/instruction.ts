/** What a history says about how a layer was made, as a person would have written it in a Dockerfile. */

/** The shell that classic builders and BuildKit put before what is run, with the build arguments that they list. */
const SHELL = /^(?:\|\d+ .*? )?\/bin\/(?:ba)?sh -c /s;

/** One line; `fallback` when the image says nothing. */
export function instructionOf(createdBy: string, fallback = ''): string {
  const text = createdBy
    .replace(/\s# buildkit$/, '')
    .replace(/\s+/g, ' ')
    .trim();
  if (text === '') return fallback.replace(/\s+/g, ' ').trim() || '(the image does not say how)';
  const run = /^RUN (.*)$/s.exec(text);
  if (run) return `RUN ${(run[1] ?? '').replace(SHELL, '')}`;
  const shell = SHELL.exec(text);
  if (!shell) return text;
  const command = text.slice(shell[0].length).trim();
  const nop = /^#\(nop\)\s+(.*)$/s.exec(command);
  return nop ? (nop[1] ?? '') : `RUN ${command}`;
}
