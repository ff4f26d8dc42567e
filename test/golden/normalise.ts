/** What two engines cannot agree on, ids and times above all, as words; and the cause of an error without its frame. */
import type { Result } from '../helpers/cli.js';

const WORDS: [RegExp, string][] = [
  [/\b[0-9a-f]{64}\b/g, '<id>'],
  [/\b[0-9a-f]{12}\b/g, '<short>'],
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g, '<time>'],
  [/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? [+-]\d{4} \w+/g, '<time>'],
  [/\b(\d+|About an?|Less than a|Less than) (second|minute|hour|day|week|month|year)s?( ago)?/gi, '<ago>'],
];

/** The daemon's and the client's words around a cause. */
const FRAME = /^(?:PROG: )?(?:Error response from daemon: |Error: |error: )?(?:conflict: )?/;
const RUNTIME =
  /(?:failed to create (?:shim task|task for container): )?(?:OCI runtime (?:create|exec) failed: )?(?:runc create failed: )?unable to start container process: |failed to create (?:shim task|task for container): /;

/** `dir` is the engine's own directory, `$T` of the cases. */
export function normalise(result: Result, dir: string, unordered = false): Result {
  const words = (text: string) =>
    WORDS.reduce((all, [pattern, word]) => all.replace(pattern, word), text.replaceAll(dir, '<dir>'));
  // Cells are as wide as their widest; what stands in them is what counts.
  const stdout = words(result.stdout).replace(/ {2,}/g, '  ').replace(/ +$/gm, '');
  return {
    code: result.code,
    stdout: unordered ? stdout.split('\n').sort().join('\n') : stdout,
    stderr: causes(words(result.stderr)),
  };
}

/** Our own lines below an error, and the pointers to the help. */
const EXTRA = /^ {2}(step|hint|subject|errno): |^(Run|See) '.*--help'|^See 'PROG|^\s*$/;

function causes(stderr: string): string {
  const text = stderr.replace(/\b(docker|tsrun)\b/g, 'PROG').replace(/^Usage: [\s\S]*/m, '');
  return text
    .split('\n')
    .filter((line) => !EXTRA.test(line))
    .map((line) =>
      line
        .replace(FRAME, '')
        .replace(RUNTIME, '')
        .replace(/: unknown\.?$/, '')
        .replace(/\.?\s*(See '.*'\.?)?$/, ''),
    )
    .join('\n');
}
