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

/** stdout's reader went away; nobody is left to tell. */
export class BrokenPipe extends Error {
  constructor(readonly fd: number) {
    super(`write /dev/${fd === 2 ? 'stderr' : 'stdout'}: broken pipe`);
    this.name = 'BrokenPipe';
  }
}
