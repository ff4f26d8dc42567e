/** A command line that makes no sense, or a refusal of the command line tool itself; not an error of the engine. */
export class UsageError extends Error {
  /** Show the usage line and where to find help. */
  readonly showUsage: boolean;

  constructor(
    message: string,
    readonly exitCode: number,
    options: { usage?: boolean } = {},
  ) {
    super(message);
    this.name = 'UsageError';
    this.showUsage = options.usage ?? true;
  }
}

export function nameOf(fd: 1 | 2): string {
  return fd === 2 ? '/dev/stderr' : '/dev/stdout';
}

/** stdout's reader went away; nobody is left to tell. */
export class BrokenPipe extends Error {
  constructor(readonly fd: 1 | 2) {
    super(`write ${nameOf(fd)}: broken pipe`);
    this.name = 'BrokenPipe';
  }
}
