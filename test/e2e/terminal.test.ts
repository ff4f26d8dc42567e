/** The client gives the terminal back: after `exit`, however busy the machine, and when told to, however stuck the terminal. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { run, Store, TSRUN } from '../helpers/cli.js';
import { leaksAfterSettling } from '../helpers/leaks.js';

/** `TSRUN_TERMINAL_RUNS=200` is the long pass. */
const RUNS = Number(process.env.TSRUN_TERMINAL_RUNS ?? 24);

let store: Store;

test.before(() => {
  store = new Store();
});

test.after.always(async (t) => {
  await store.destroy();
  t.deepEqual(await leaksAfterSettling(store.root), []);
});

interface Session {
  /** script(1), which holds the terminal. */
  script: ChildProcessWithoutNullStreams;
  screen(): string;
  shows(pattern: RegExp): Promise<void>;
  closed: Promise<number | null>;
}

/** A command in a terminal of its own; its keyboard is `script.stdin`. */
function inTerminal(command: string): Session {
  const script = spawn('script', ['-qfec', `exec ${command}`, '/dev/null'], {
    env: { ...process.env, ...store.environment() },
  });
  let screen = '';
  let wake = () => {};
  script.stdin.on('error', () => {}); // it ends without having read all that was typed
  let complaints = '';
  script.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text;
  });
  script.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text;
    wake();
  });
  let ended: string | undefined;
  const closed = once(script, 'close').then(([code, signal]) => {
    ended = `${code ?? signal}`;
    wake();
    return code as number | null;
  });
  return {
    script,
    screen: () => screen,
    async shows(pattern) {
      while (!pattern.test(screen)) {
        if (ended !== undefined)
          throw new Error(`it ended with ${ended} without showing ${pattern}:\n${screen}${complaints}`);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    closed,
  };
}

/** Keeps every processor busy. */
function burners(): () => void {
  const script = 'while :; do :; done';
  const busy = cpus().map(() => spawn('sh', ['-c', script], { stdio: 'ignore' }));
  return () => {
    for (const each of busy) each.kill('SIGKILL');
  };
}

/** Where every thread of the processes in the terminal stands. */
function standing(pid: number): string {
  const lines: string[] = [];
  for (const child of [pid, ...childrenOf(pid)])
    for (const thread of readdirSync(`/proc/${child}/task`)) {
      const at = (name: string) => readFileSync(`/proc/${child}/task/${thread}/${name}`, 'utf8').trim();
      lines.push(`${child}/${thread} ${at('comm')} ${at('wchan')} ${at('syscall')}`);
    }
  return lines.join('\n');
}

function childrenOf(pid: number): number[] {
  const list = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return list === '' ? [] : list.split(' ').map(Number);
}

/** Far beyond any delay: what has not come by now is not under way. */
const STUCK_MS = 120_000;

/** @throws Error with the screen and where everything stands, if `done` does not come. */
async function unstuck<T>(session: Session, done: Promise<T>): Promise<T> {
  const timer = new AbortController();
  const stuck = delay(STUCK_MS, undefined, { signal: timer.signal }).then(
    () => {
      const text = `${session.screen().slice(-300)}\n${standing(session.script.pid ?? 0)}`;
      session.script.kill('SIGKILL');
      throw new Error(`the terminal is stuck:\n${text}`);
    },
    () => new Promise<never>(() => {}),
  );
  try {
    return await Promise.race([done, stuck]);
  } finally {
    timer.abort();
  }
}

/** What a user types at the end: with nothing before, with a flood, and with keys that come too late. */
const ENDINGS = ['exit 7\n', 'seq 1 20000; exit 7\n', 'exit 7\ntyped ahead\ntyped ahead\n'];

test.serial(`the client returns after \`exit\`, ${RUNS} times on a busy machine`, async (t) => {
  t.timeout(Math.max(300_000, RUNS * 5_000));
  const stop = burners();
  t.teardown(stop);
  let begun = 0;
  const worker = async () => {
    while (begun < RUNS) {
      const ending = ENDINGS[begun++ % ENDINGS.length] ?? '';
      const session = inTerminal(`${TSRUN} run --rm -it --network none busybox sh`);
      await unstuck(session, session.shows(/\/ # (\x1b\[6n)?$/));
      session.script.stdin.write(ending);
      t.is(await unstuck(session, session.closed), 7, session.screen().slice(-500));
    }
  };
  await Promise.all(Array.from({ length: 4 }, worker));
});

test.serial('a monitor that looks late finds the terminal together with the news of the start', async (t) => {
  // Each round of its loop sees what had happened a while ago, and then all the rest at once.
  const late = [
    '-f',
    '-qq',
    '-o',
    '/dev/null',
    '-e',
    'trace=epoll_wait',
    '-e',
    'inject=epoll_wait:delay_exit=100000',
  ];
  const box = ['--network', 'none', 'busybox'];
  const env = store.environment();
  const started = await run('strace', [...late, TSRUN, 'run', '--rm', '-t', ...box, 'echo', 'hello'], {
    env,
  });
  t.deepEqual([started.code, started.stdout], [0, 'hello\r\n'], started.stderr);
  // exec has a monitor of its own kind, below its own client.
  await store.ok('run', '-d', '--name', 'late', ...box, 'sleep', '100000');
  const executed = await run('strace', [...late, TSRUN, 'exec', '-t', 'late', 'echo', 'hello'], { env });
  t.deepEqual([executed.code, executed.stdout], [0, 'hello\r\n'], executed.stderr);
  await store.ok('rm', '-f', 'late');
});

test.serial('a terminal that nobody reads does not keep the client: the third SIGTERM ends it', async (t) => {
  const session = inTerminal(`${TSRUN} run -it --name stuck --network none busybox yes`);
  await session.shows(/(y\r\n){1000}/);
  const [client = 0] = childrenOf(session.script.pid ?? 0);
  session.script.kill('SIGSTOP');
  t.teardown(() => session.script.kill('SIGKILL'));
  // Whatever is between the program and the terminal has filled up when the log no longer changes.
  const log = join(store.root, 'containers', (await store.ok('ps', '-q', '--no-trunc')).trim(), 'log');
  for (let last = -1, now = statSync(log).mtimeMs; now !== last; now = statSync(log).mtimeMs) {
    last = now;
    await delay(500);
  }
  for (let i = 0; i < 3; i++) {
    process.kill(client, 'SIGTERM');
    await delay(100); // signals that wait are one signal
  }
  while (readFileSync(`/proc/${client}/stat`, 'utf8').split(' ')[2] !== 'Z') await delay(20);
  t.regex(await store.ok('ps'), / Up .* stuck$/m);
  session.script.kill('SIGCONT');
  t.is(await session.closed, 1);
  await store.ok('rm', '-f', 'stuck');
});
