/** The report fd of a start: lines of JSON from the helper, until everybody who could write to it has gone. */
import { read } from 'node:fs';
import { TsrunError } from '../errors.js';
import type { FailureRecord } from '../native/launch.js';
import { type ReportRecord, STEP_EXEC } from '../native/protocol.js';

export type StartOutcome =
  | { kind: 'running' }
  | { kind: 'failed'; failure: FailureRecord }
  /** The helper died in this step (empty: before its first). */
  | { kind: 'died'; step: string };

/** Folds records into the outcome; a failure wins over whatever was said after it. */
export class ReportReader {
  #rest = '';
  #step = '';
  #failure: FailureRecord | undefined;

  constructor(private readonly onStep?: (step: string, t: number) => void) {}

  push(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') this.#record(line);
  }

  /** What the records up to the end of file mean. */
  outcome(): StartOutcome {
    if (this.#failure !== undefined) return { kind: 'failed', failure: this.#failure };
    return this.#step === STEP_EXEC ? { kind: 'running' } : { kind: 'died', step: this.#step };
  }

  #record(line: string): void {
    let record: ReportRecord;
    try {
      record = JSON.parse(line) as ReportRecord;
    } catch (cause) {
      throw new TsrunError('HELPER', 'the helper sent a report that is not JSON', { subject: line, cause });
    }
    if ('fail' in record) this.#failure ??= record.fail;
    else if ('step' in record) {
      this.#step = record.step;
      this.onStep?.(record.step, record.t);
    }
  }
}

/** Reads `fd` to its end. Plain reads: a stream would load a fifth of Node for three lines of text. */
export async function readReport(
  fd: number,
  onStep?: (step: string, t: number) => void,
): Promise<StartOutcome> {
  const reader = new ReportReader(onStep);
  const buffer = Buffer.alloc(16 * 1024);
  for (;;) {
    const count = await readSome(fd, buffer);
    if (count === 0) return reader.outcome();
    // Records are ASCII-escaped JSON, so a chunk border never cuts a character.
    reader.push(buffer.toString('latin1', 0, count));
  }
}

function readSome(fd: number, buffer: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    read(fd, buffer, 0, buffer.length, null, (error, count) =>
      error === null ? resolve(count) : reject(error),
    );
  });
}
