import { TsrunError } from '../errors.js';
import { Want } from '../native/protocol.js';
import type { Attachment } from '../types/engine.js';
import type { EngineContext } from './context.js';
import { recordContainerEvent } from './journal.js';
import { connectMonitor } from './monitor.js';
import { resolveContainer } from './resolve.js';
import { viewContainer } from './view.js';

/** The streams of a running container, from now on. @throws TsrunError NOT_RUNNING in Docker's words. */
export async function attach(
  ctx: EngineContext,
  text: string,
  options: { stdin?: boolean } = {},
): Promise<Attachment> {
  const record = resolveContainer(ctx.paths, text);
  const { state } = viewContainer(ctx, record);
  if (state === 'paused') throw refused('a paused container, unpause it first', text);
  if (state === 'restarting') throw refused('a restarting container, wait until it is running', text);
  const want = Want.stdout | Want.stderr | (options.stdin ? Want.stdin : 0);
  const client = state === 'running' ? await connectMonitor(ctx, record.id, want) : undefined;
  if (client === undefined) throw refused('a stopped container, start it first', text);
  recordContainerEvent(ctx, record, 'attach');
  return client;
}

function refused(what: string, subject: string): TsrunError {
  return new TsrunError('NOT_RUNNING', `You cannot attach to ${what}`, { subject });
}
