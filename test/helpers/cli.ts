/** The real CLI, run as a user runs it, on a store of its own. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const TSRUN = resolve('bin/tsrun');

export interface Result {
  code: number;
  stdout: string;
  stderr: string;
}

export interface RunSettings {
  input?: string | Uint8Array;
  env?: Record<string, string>;
}

/** Runs a program to its end; a death by signal n is code 128 + n. */
export function run(command: string, args: string[], settings: RunSettings = {}): Promise<Result> {
  const child = spawn(command, args, { env: { ...process.env, ...settings.env } });
  child.stdin.on('error', () => {}); // the program need not read it
  child.stdin.end(settings.input ?? '');
  return finished(child);
}

function finished(child: ChildProcessWithoutNullStreams): Promise<Result> {
  return new Promise((done, fail) => {
    const chunks: { stdout: Buffer[]; stderr: Buffer[] } = { stdout: [], stderr: [] };
    child.stdout.on('data', (data: Buffer) => chunks.stdout.push(data));
    child.stderr.on('data', (data: Buffer) => chunks.stderr.push(data));
    child.once('error', fail);
    child.once('close', (code, signal) => {
      const text = (stream: 'stdout' | 'stderr') => Buffer.concat(chunks[stream]).toString('utf8');
      done({ code: code ?? 128 + (signal ? 9 : 0), stdout: text('stdout'), stderr: text('stderr') });
    });
  });
}

/** One store and the CLI on it. */
export class Store {
  readonly root = mkdtempSync(join(tmpdir(), 'tsrun-e2e-'));
  /** Every command and what it printed, for docs/story.md. */
  readonly transcript: string[] = [];

  /** `program`: another installation than the one that is tested elsewhere. */
  constructor(
    readonly env: Record<string, string> = {},
    readonly program = TSRUN,
  ) {}

  /** Environment of every command on this store. */
  environment(): Record<string, string> {
    return { ...this.env, TSRUN_ROOT: this.root };
  }

  tsrun(args: string[], settings: RunSettings = {}): Promise<Result> {
    return run(this.program, args, { ...settings, env: { ...this.environment(), ...settings.env } });
  }

  /** Like {@link tsrun}, and a failure of the command is an error that shows what it said. */
  async ok(...args: string[]): Promise<string> {
    const result = await this.tsrun(args);
    this.transcript.push(`$ tsrun ${args.map(quote).join(' ')}\n${result.stderr}${result.stdout}`);
    if (result.code !== 0)
      throw new Error(`tsrun ${args.join(' ')}: exit ${result.code}\n${result.stderr}${result.stdout}`);
    return result.stdout;
  }

  start(args: string[]): ChildProcessWithoutNullStreams {
    return spawn(this.program, args, { env: { ...process.env, ...this.environment() } });
  }

  /** Removes every container and the store itself. */
  async destroy(): Promise<void> {
    const { stdout } = await this.tsrun(['ps', '-aq', '--no-trunc']);
    const ids = stdout.split('\n').filter(Boolean);
    if (ids.length > 0) await this.tsrun(['rm', '-fv', ...ids]);
    rmSync(this.root, { recursive: true, force: true });
  }
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
