/** `-a`: which of the three streams the first client wants. */
import { badFlag, flagError } from './usage.js';

export interface Streams {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
}

const NAMES = ['stdin', 'stdout', 'stderr'] as const;

/** Without `-a` the output and, with `-i`, the input; detached nothing. */
export function parseAttach(
  texts: readonly string[],
  { detach, interactive }: { detach: boolean; interactive: boolean },
): Streams {
  const names = texts.map((text) => {
    const name = NAMES.find((known) => known === text.toLowerCase());
    if (name === undefined) {
      throw badFlag('-a, --attach', text, 'valid streams are STDIN, STDOUT and STDERR');
    }
    return name;
  });
  if (names.length === 0) return { stdin: interactive && !detach, stdout: !detach, stderr: !detach };
  if (detach) throw flagError('conflicting options: cannot specify both --attach and --detach');
  return {
    stdin: names.includes('stdin'),
    stdout: names.includes('stdout'),
    stderr: names.includes('stderr'),
  };
}
