/** Starts a container and stays with it: what `run` and `start -a` share. Resolves with the exit code. */
import type { Engine } from '../../src/types/engine.js';
import type { Cli } from '../command.js';
import { RawTerminal } from '../terminal.js';
import { UsageError } from '../usage.js';
import { runSession, type SessionEnd } from './attach-session.js';

export interface AttachedStart {
  container: string;
  tty: boolean;
  stdin: boolean;
  /** Default: true. */
  stdout?: boolean;
  stderr?: boolean;
  sigProxy: boolean;
  /** Bytes that let go of the container. */
  detachKeys: readonly number[];
  /** Signals that came before the container ran; it gets them first. */
  early?: readonly number[];
  /** Called when the container runs and this process's signals are the container's. */
  onRunning?: () => void;
}

/** @throws UsageError: a container with a terminal wants one as its stdin. */
export function checkInput(cli: Cli, options: { tty: boolean; stdin: boolean }): void {
  if (options.tty && options.stdin && !cli.isTty(0))
    throw new UsageError('the input device is not a TTY', 1, { usage: false });
}

export function consoleSize(cli: Cli, engine: Engine): { rows: number; cols: number } | undefined {
  const fd = cli.isTty(1) ? 1 : cli.isTty(0) ? 0 : undefined;
  return fd === undefined ? undefined : engine.terminal.windowSize(fd);
}

export async function startAttached(cli: Cli, engine: Engine, how: AttachedStart): Promise<SessionEnd> {
  const { tty, stdin, stdout = true, stderr = true } = how;
  const raw = tty && stdin && cli.isTty(0) ? new RawTerminal(engine.terminal, 0) : undefined;
  try {
    // Before the start: what is typed meanwhile is the container's, and must not be echoed here.
    raw?.enter();
    const attachment = await engine.start(how.container, {
      attach: { stdin, stdout, stderr },
      consoleSize: tty ? consoleSize(cli, engine) : undefined,
    });
    if (attachment === undefined) throw new Error('the engine gave no attachment');
    for (const signal of how.early ?? []) await attachment.signal(signal).catch(() => {});
    how.onRunning?.();
    return await runSession(cli, attachment, {
      terminal: engine.terminal,
      tty,
      stdin,
      sigProxy: how.sigProxy,
      detachKeys: how.detachKeys,
    });
  } finally {
    raw?.leave();
  }
}
