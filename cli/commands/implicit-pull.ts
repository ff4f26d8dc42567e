/** The pull inside run and create: everything it says goes to stderr, and Ctrl-C ends it. */
import type { PullEvent } from '../../src/types/engine.js';
import type { Cli } from '../command.js';
import { escapeControls } from '../render/escape.js';
import { familiarName, PullProgress } from '../render/progress.js';
import { cancelOnSignal } from '../terminal.js';

export interface ImplicitPull {
  options: { onPull: (event: PullEvent) => void; signal: AbortSignal };
  /** Signals that came meanwhile. */
  caught: readonly number[];
  /** Gives SIGINT and SIGTERM back. */
  done(): void;
}

/** `announce`: say that the image was not here (not with --pull always, where that is not the reason). */
export function implicitPull(cli: Cli, how: { quiet: boolean; announce: boolean }): ImplicitPull {
  const progress = new PullProgress({
    write: (text) => cli.err(text),
    columns: cli.columns(2),
    standalone: false,
  });
  const cancel = cancelOnSignal();
  const onPull = (event: PullEvent) => {
    if (event.kind === 'resolving' && how.announce)
      cli.err(`Unable to find image '${escapeControls(withTag(event))}' locally\n`);
    if (!how.quiet) progress.event(event);
  };
  return { options: { onPull, signal: cancel.signal }, caught: cancel.caught, done: cancel.done };
}

function withTag(event: Extract<PullEvent, { kind: 'resolving' }>): string {
  const name = familiarName(event.reference);
  const last = name.slice(name.lastIndexOf('/') + 1);
  return last.includes(':') || name.includes('@') ? name : `${name}:${event.tag}`;
}
