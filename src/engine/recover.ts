/** After the death of a monitor: `tsrun-runtime recover` kills what is left and runs the ledger. */
import { closeSync, read } from 'node:fs';
import { TsrunError } from '../errors.js';
import { ENGINE_VERB } from '../native/protocol.js';
import { hasRemains, probeAlive } from '../store/containers.js';
import type { ContainerId } from '../types/ids.js';
import { type EngineContext, HELPER_ENV } from './context.js';

/**
 * Does nothing when no run left anything behind. The helper itself checks under lock byte 0, so calling this for a
 * container that another process has just started is harmless.
 * @throws TsrunError HELPER when something could not be released; the ledger then stays for the next try.
 */
export async function recover(ctx: EngineContext, id: ContainerId): Promise<void> {
  const { dir } = ctx.paths.container(id);
  // The helper asks both again under the locks. What lives must not be asked by it: it would wait for whoever operates.
  if (!hasRemains(ctx.paths.container(id)) || probeAlive(ctx.native, ctx.paths, [id])[0] === true) return;
  ctx.onTrace?.({ step: 'container.recover', subject: id, source: 'engine' });
  const [readEnd, writeEnd] = ctx.native.pipe();
  let pid: number;
  try {
    pid = ctx.native.spawn({
      file: ctx.helperPath,
      args: [ENGINE_VERB, 'recover', '--dir', dir],
      env: [...HELPER_ENV],
      fds: [{ child: 2, parent: writeEnd }],
    });
  } catch (error) {
    closeSync(readEnd);
    throw error;
  } finally {
    closeSync(writeEnd);
  }
  const [text, code] = await Promise.all([readAll(readEnd), ctx.native.waitPid(pid)]);
  if (code === 0) return;
  throw new TsrunError(
    'HELPER',
    `cannot clean up after container ${id}: ${text.trim() || `exit code ${code}`}`,
    {
      step: 'container.recover',
      subject: id,
    },
  );
}

/** Everything up to the end of file (64 KiB at most are kept), then closes the fd. */
async function readAll(fd: number): Promise<string> {
  const buffer = Buffer.alloc(4096);
  let text = '';
  try {
    for (;;) {
      const count = await new Promise<number>((resolve, reject) => {
        read(fd, buffer, 0, buffer.length, null, (error, n) => (error === null ? resolve(n) : reject(error)));
      });
      if (count === 0) return text;
      if (text.length < 65536) text += buffer.toString('utf8', 0, count);
    }
  } finally {
    closeSync(fd);
  }
}
