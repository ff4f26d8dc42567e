/**
 * A golden case: a command line as a user of Docker writes it, run by a shell against dockerd and against tsrun.
 *
 * In the shell `docker` is the engine under test. `run` and `create` are `docker run` and `docker create` with
 * `--network none`; `said NAME TEXT` waits until the logs of a container contain the text; `$T` is a directory of the
 * engine's own.
 */
export interface GoldenCase {
  /** What makes it the case it is; the name of the test. */
  title: string;
  /** Must succeed; its output is not compared. */
  before?: string;
  /** Like `before`, made once for the cases in a row that only look at it. */
  shared?: string;
  /** stdout, exit code and the cause in stderr of this are compared. */
  run: string;
  /** Beside the removal of every container that `--name` names in the case, and of the volumes that `-v` does. */
  after?: string;
  /** Only when GOLDEN asks for it: another of the same kind runs always. */
  rare?: true;
  /** Lines come in no order: sorted before they are compared. */
  unordered?: true;
}

/** The names that a script gives to containers. */
export function namesIn(script: string): string[] {
  const names = [...script.matchAll(/--name[ =]([\w.-]{2,})/g)].map((match) => match[1] ?? '');
  return [...new Set(names)];
}

/** The volumes that a script mounts by name. */
export function volumesIn(script: string): string[] {
  const names = [...script.matchAll(/ -v ([a-z][\w.-]+):/g)].map((match) => match[1] ?? '');
  return [...new Set(names)];
}
