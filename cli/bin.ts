/** The process: its environment, its streams, its end. Everything else is in main.ts, which tests call. */
import { fstatSync } from 'node:fs';
import type { Io } from './context.js';
import { main } from './main.js';
import { openSink, type Sink, writeAll } from './output.js';
import { renderError } from './render/error.js';
import { BrokenPipe } from './usage.js';

/** bin/tsrun takes variables that change Node itself out of our way, and leaves them here for `-e NAME`. */
const SAVED = 'TSRUN_SAVED_';

export function userEnvironment(env: NodeJS.ProcessEnv): Record<string, string | undefined> {
  const out: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(env)) {
    if (name.startsWith(SAVED)) out[name.slice(SAVED.length)] = value;
    else out[name] ??= value;
  }
  return out;
}

function isTty(fd: number): boolean {
  try {
    return fstatSync(fd).isCharacterDevice() && process.getBuiltinModule('node:tty').isatty(fd);
  } catch {
    return false; // closed
  }
}

function lazySink(fd: 1 | 2): Sink {
  let sink: Promise<Sink> | undefined;
  return {
    async write(chunk) {
      sink ??= openSink(fd);
      await (await sink).write(chunk);
    },
  };
}

const env = userEnvironment(process.env);

const io: Io = {
  env,
  out: (text) => writeAll(1, text),
  err(text) {
    try {
      writeAll(2, text);
    } catch (error) {
      if (!(error instanceof BrokenPipe)) throw error;
    }
  },
  sink: lazySink,
  isTty,
  columns: (fd) => (isTty(fd) ? Number(env.COLUMNS) || 80 : undefined),
};

process.on('uncaughtException', (error) => {
  io.err(renderError(error, { debug: process.argv.includes('--debug') || process.argv.includes('-D') }));
  process.exit(1);
});

const code = main(process.argv.slice(2), io, async ({ root }, onTrace) => {
  const { createEngine } = await import('../src/index.js');
  const engine = createEngine({
    root: root ?? (env.TSRUN_ROOT || undefined),
    certsDir: env.TSRUN_CERTS_DIR || undefined,
    extraCaFile: env.TSRUN_EXTRA_CA_CERTS || env.NODE_EXTRA_CA_CERTS || undefined,
    env,
    onTrace,
  });
  // Somebody who profiles Node wants its own end.
  if (process.execArgv.length > 0) return engine;
  // For every way out from here on: what remains of process.exit after its listeners have run.
  const { reallyExit } = process as unknown as { reallyExit: (value?: number) => never };
  Object.assign(process, {
    reallyExit(value?: number) {
      try {
        engine.terminal.exitNow(value ?? 0);
      } catch {
        reallyExit.call(process, value); // without the addon: that is the error which ends us
      }
    },
  });
  return engine;
});

// Everything has been written by now: nothing is lost, and neither an open handle nor a thread keeps us.
void code.then((value) => process.exit(value));
