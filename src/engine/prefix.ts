import { TsrunError } from '../errors.js';

/** Docker begins some messages with what was attempted. What else an error says stays. */
export async function withPrefix<T>(prefix: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof TsrunError)) throw error;
    const { code, step, errno, subject, hint } = error;
    throw new TsrunError(code, prefix + error.message, { step, errno, subject, hint, cause: error });
  }
}
