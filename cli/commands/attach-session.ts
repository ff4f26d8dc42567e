/** From the moment a container runs until it ends or the user lets go of it: streams, keys, sizes, signals. */
import type { Readable } from 'node:stream';
import type { Attachment, TerminalControl } from '../../src/types/engine.js';
import type { Cli } from '../command.js';
import type { Sink } from '../output.js';
import { DetachKeys, proxiedSignals, SignalListeners } from '../terminal.js';
import { BrokenPipe } from '../usage.js';

export interface SessionOptions {
  terminal: TerminalControl;
  /** The container has a terminal. */
  tty: boolean;
  /** Our stdin goes to it. */
  stdin: boolean;
  /** Signals go to PID 1; without it they end this process. */
  sigProxy: boolean;
  /** Bytes that let go of the container when they are typed. */
  detachKeys: readonly number[];
}

export type SessionEnd = { code: number } | 'detached';

/** `SIGINT`s and `SIGTERM`s after which the client ends by force. */
const PATIENCE = 3;

/** All output has been written when it resolves. */
export async function runSession(
  cli: Cli,
  attachment: Attachment,
  options: SessionOptions,
): Promise<SessionEnd> {
  const listeners = new SignalListeners();
  try {
    listenToSignals(cli, attachment, options, listeners);
    if (options.tty) followSize(cli, attachment, options.terminal, listeners);
    const output = Promise.all([
      copy(attachment.stdout, cli.sink(1)),
      copy(attachment.stderr, quiet(cli.sink(2))),
    ]);
    const ended = attachment.exit.then(async (code): Promise<SessionEnd> => {
      await output;
      return { code };
    });
    const detached = options.stdin
      ? feedStdin(attachment, options.tty && cli.isTty(0) ? new DetachKeys(options.detachKeys) : undefined)
      : never<SessionEnd>();
    // The loser of the race may still fail: that is nobody's concern any more.
    for (const promise of [output, ended, detached]) promise.catch(() => {});
    return await Promise.race([ended, detached, failureOf(output)]);
  } finally {
    listeners.removeAll();
    attachment.detach();
  }
}

/** The container's terminal always has the size of ours. */
function followSize(
  cli: Cli,
  attachment: Attachment,
  terminal: TerminalControl,
  listeners: SignalListeners,
): void {
  const fd = cli.isTty(1) ? 1 : cli.isTty(0) ? 0 : undefined;
  if (fd === undefined) return;
  const resize = () => attachment.resize(terminal.windowSize(fd));
  listeners.on('SIGWINCH', resize);
  // It may have changed between create and now.
  resize();
}

function listenToSignals(
  cli: Cli,
  attachment: Attachment,
  options: SessionOptions,
  listeners: SignalListeners,
): void {
  let impatience = 0;
  for (const [name, number] of proxiedSignals()) {
    if (!options.sigProxy) {
      // The default would not restore the terminal.
      if (['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM'].includes(name))
        listeners.on(name, () => process.exit(128 + number));
      continue;
    }
    listeners.on(name, () => {
      if ((name === 'SIGINT' || name === 'SIGTERM') && ++impatience >= PATIENCE) {
        void forceExit(cli);
        return;
      }
      const sent = attachment.signal(number).catch(() => {
        // It ended meanwhile.
      });
      // Our terminal is gone; the container was told, and lives on if it wants to.
      if (name === 'SIGHUP' && options.tty) void sent.then(() => process.exit(128 + number));
    });
  }
}

/** How long the last word may take: the terminal may be what is stuck. */
const LAST_WORD_MS = 500;

async function forceExit(cli: Cli): Promise<never> {
  const told = cli.sink(2).write(Buffer.from('got 3 SIGTERM/SIGINTs, forcefully exiting\n'));
  await Promise.race([told.catch(() => {}), new Promise((resolve) => setTimeout(resolve, LAST_WORD_MS))]);
  process.exit(1);
}

/** Resolves only when the user detaches. */
async function feedStdin(attachment: Attachment, keys: DetachKeys | undefined): Promise<SessionEnd> {
  const { stdin } = attachment;
  stdin.on('error', () => {
    // The process closed its end or is gone; `exit` tells the rest.
  });
  try {
    for await (const chunk of process.stdin as AsyncIterable<Uint8Array>) {
      const { bytes, detach } = keys?.feed(chunk) ?? { bytes: chunk, detach: false };
      if (bytes.length > 0 && !stdin.write(bytes))
        await new Promise((resolve) => stdin.once('drain', resolve));
      if (detach) return 'detached';
    }
  } catch {
    // A terminal that went away reads as an error: as good as its end.
  }
  stdin.end();
  return never<SessionEnd>();
}

async function copy(from: Readable, to: Sink): Promise<void> {
  for await (const chunk of from as AsyncIterable<Uint8Array>) await to.write(chunk);
}

/** stderr without a reader is no reason to let go of the container. */
function quiet(sink: Sink): Sink {
  return {
    write: (chunk) =>
      sink.write(chunk).catch((error) => {
        if (!(error instanceof BrokenPipe)) throw error;
      }),
  };
}

function never<T>(): Promise<T> {
  return new Promise<T>(() => {});
}

function failureOf(work: Promise<unknown>): Promise<never> {
  return new Promise((_, reject) => {
    work.catch(reject);
  });
}
