/** Health probes of the monitor, on hand-made container directories. Needs root. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import type { HealthRecord, LaunchSpec } from '../../src/native/launch.js';
import { Frame } from '../../src/native/protocol.js';
import { type HandMade, HandMadeStore } from '../helpers/hand-made.js';

const store = new HandMadeStore();
test.after.always(() => store.remove());

/** With pauses: the probes need the processor. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(10);
}

const OFTEN = { intervalMs: 1, timeoutMs: 30_000, retries: 1, startPeriodMs: 0, startIntervalMs: 1 };

interface Checked {
  c: HandMade;
  events: string;
}

/** A container that sleeps and is checked by a shell script. */
function checked(script: string, settings: Partial<NonNullable<LaunchSpec['health']>> = {}): Checked {
  const events = join(store.root, `events-${Math.random().toString(36).slice(2)}`);
  const health = { ...OFTEN, argv: ['sh', '-c', script], ...settings };
  return { c: store.container(['sleep', '1000'], { launch: { health, events } }), events };
}

function healthOf(c: HandMade): HealthRecord {
  return JSON.parse(readFileSync(c.paths.health, 'utf8')) as HealthRecord;
}

async function waitFor(c: HandMade, condition: (health: HealthRecord) => boolean): Promise<HealthRecord> {
  await until(() => condition(healthOf(c)));
  return healthOf(c);
}

function actions(events: string): string[] {
  // What stands behind the last newline is still being written.
  const lines = readFileSync(events, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => (JSON.parse(line) as { Action: string }).Action);
}

async function kill({ c }: Checked, run: Awaited<ReturnType<HandMade['start']>>): Promise<void> {
  run.client.send(Frame.signal, Buffer.of(9));
  await run.client.ended;
  t137(c);
}

function t137(c: HandMade): void {
  if (c.exit.exitCode !== 137) throw new Error(`exit code ${c.exit.exitCode}`);
}

/**
 * Memory of a process that is no file's, in KiB. Not what smaps calls private: pages that a probe shares in the moment
 * between its fork and its exec would not count.
 */
function anonymousMemory(pid: number): number {
  const [, size] = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(size);
}

/** Processes whose title begins so and holds the container's id. */
function sessions(c: HandMade): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith(`tsrun:[probe] ${c.id.slice(0, 12)}`);
      } catch {
        return false;
      }
    });
}

test.serial(
  'starting when the start is told, then healthy, unhealthy after enough failures in a row, healthy again',
  async (t) => {
    const checkedOne = checked('test -e /tmp/ok', { intervalMs: 20, retries: 3 });
    const { c, events } = checkedOne;
    const run = await c.start();
    t.like(healthOf(c), { status: 'starting', failingStreak: 0, log: [] });
    const failing = await waitFor(c, ({ status }) => status === 'unhealthy');
    t.true(failing.failingStreak >= 3);
    t.true(failing.log.every(({ exitCode }) => exitCode === 1));
    mkdirSync(join(c.paths.upper, 'tmp'), { recursive: true });
    writeFileSync(`/proc/${c.state.pid}/root/tmp/ok`, '');
    const healthy = await waitFor(c, ({ status }) => status === 'healthy');
    t.is(healthy.failingStreak, 0);
    await kill(checkedOne, run);
    const statuses = actions(events).filter((action) => action.startsWith('health_status'));
    t.deepEqual(statuses, ['health_status: unhealthy', 'health_status: healthy']);
    const [created, started, died] = actions(events).filter((action) => action.startsWith('exec_'));
    t.deepEqual(
      [created, started, died],
      ['exec_create: sh -c test -e /tmp/ok', 'exec_start: sh -c test -e /tmp/ok', 'exec_die'],
    );
  },
);

test.serial('five results are kept, both streams of each, 4096 bytes at most', async (t) => {
  const script = 'read n < /root/n || n=0; echo $((n+1)) > /root/n; echo "probe $n"; echo err >&2; exit 7';
  const one = checked(script, { retries: 100_000 });
  const run = await one.c.start();
  const { log, status } = await waitFor(one.c, ({ failingStreak }) => failingStreak >= 7);
  t.is(status, 'starting');
  t.is(log.length, 5);
  const numbers = log.map(({ output }) => Number(/probe (\d+)/.exec(output)?.[1]));
  t.deepEqual(
    numbers,
    [0, 1, 2, 3, 4].map((i) => (numbers[0] ?? 0) + i),
  );
  for (const { exitCode, output, start, end } of log) {
    t.is(exitCode, 7);
    t.regex(output, /err\n/);
    t.true(Date.parse(start) <= Date.parse(end));
  }
  await kill(one, run);

  const long = checked('head -c 100000 /dev/zero; echo end');
  const second = await long.c.start();
  const [result] = (await waitFor(long.c, ({ log }) => log.length > 0)).log;
  t.is(result?.output, `${'\0'.repeat(4096)}...`);
  t.is(result?.exitCode, 0);
  await kill(long, second);
});

test.serial(
  'a probe that takes too long is killed with its children and is a failure that says so',
  async (t) => {
    const one = checked('echo $$ > /root/pid; echo words; sleep 1000 & wait; sleep 1000', {
      timeoutMs: 1500,
    });
    const run = await one.c.start();
    const { log, status } = await waitFor(one.c, ({ log }) => log.length > 0);
    t.is(status, 'unhealthy');
    t.like(log[0], { exitCode: -1, output: 'Health check exceeded timeout (1.5s): words\n' });
    await kill(one, run);
    await until(() => sessions(one.c).length === 0);
  },
);

test.serial('a program that is not there is a failure with the reason', async (t) => {
  const one = checked('', { argv: ['no-such-probe'] });
  const run = await one.c.start();
  const { log } = await waitFor(one.c, ({ log }) => log.length > 0);
  t.like(log[0], {
    exitCode: -1,
    output:
      'OCI runtime exec failed: exec failed: unable to start container process: exec: "no-such-probe": executable file not found in $PATH',
  });
  await kill(one, run);
});

test.serial(
  'in the start period failures do not count, and the shorter interval is used until the first success',
  async (t) => {
    const one = checked('test -e /tmp/ok', { intervalMs: 3_600_000, startPeriodMs: 3_600_000 });
    const run = await one.c.start();
    const { status, failingStreak } = await waitFor(one.c, ({ log }) => log.length === 5);
    t.is(status, 'starting');
    t.is(failingStreak, 0);
    writeFileSync(`/proc/${one.c.state.pid}/root/tmp/ok`, '');
    const healthy = await waitFor(one.c, ({ status }) => status === 'healthy');
    t.is(healthy.failingStreak, 0);
    await kill(one, run);
  },
);

test.serial(
  'a stopped clock: no probe while the container is frozen, one that ran is given up, then they go on',
  async (t) => {
    const one = checked('read x < /root/fifo; exit 0', { timeoutMs: 3_600_000 });
    const run = await one.c.start();
    await until(() => actions(one.events).includes('exec_start: sh -c read x < /root/fifo; exit 0'));
    run.client.send(Frame.freeze, Buffer.of(0));
    await run.client.until((heard) => heard.bytes >= 4);
    const before = actions(one.events).filter((action) => action.startsWith('exec_create')).length;
    t.is(one.c.state.phase, 'paused');
    run.client.send(Frame.thaw);
    await until(
      () => actions(one.events).filter((action) => action.startsWith('exec_create')).length > before,
    );
    await kill(one, run);
    await until(() => sessions(one.c).length === 0);
  },
);

test.serial('a probe that hangs keeps nobody from stopping the container', async (t) => {
  const one = checked('echo hangs; sleep 1000', { timeoutMs: 3_600_000 });
  const run = await one.c.start();
  await until(() => actions(one.events).some((action) => action.startsWith('exec_start')));
  await kill(one, run);
  for (const gone of ['state', 'sock', 'ledger'] as const) t.false(existsSync(one.c.paths[gone]), gone);
  await until(() => sessions(one.c).length === 0);
  t.deepEqual(healthOf(one.c).log, []);
});

test.serial('asked for by hand: the answer is that of a probe that began after the question', async (t) => {
  const one = checked('test -e /tmp/ok', { intervalMs: 3_600_000, retries: 1 });
  const run = await one.c.start();
  const asker = one.c.connect();
  asker.send(Frame.probe);
  await asker.until((heard) => heard.bytes >= 4);
  t.is(asker.text(Frame.probe), '\0\0\0\u0001');
  t.is(healthOf(one.c).status, 'unhealthy');
  writeFileSync(`/proc/${one.c.state.pid}/root/tmp/ok`, '');
  asker.send(Frame.probe);
  await asker.until((heard) => heard.bytes >= 8);
  t.is(asker.text(Frame.probe), '\0\0\0\u0001\0\0\0\0');
  t.is(healthOf(one.c).status, 'healthy');
  await kill(one, run);

  const none = store.container(['sleep', '1000']);
  const other = await none.start();
  other.client.send(Frame.probe);
  await other.client.until((heard) => heard.bytes >= 4);
  t.is(other.client.text(Frame.ack), '\0\0\0\u0002'); // ENOENT
  other.client.send(Frame.signal, Buffer.of(9));
  await other.client.ended;
});

test.serial('a new run begins with the status starting and no results', async (t) => {
  const health = { ...OFTEN, argv: ['true'] };
  const restart = { policy: 'on-failure', maxRetries: 1 } as const;
  const c = store.container(
    ['sh', '-c', 'test -e /root/again || { echo > /root/again; read x; exit 1; }; sleep 1000'],
    { launch: { health, restart, openStdin: true, stdinOnce: true } },
  );
  const { client } = await c.start();
  await waitFor(c, ({ status }) => status === 'healthy');
  writeFileSync(
    c.paths.launch,
    JSON.stringify({
      ...JSON.parse(readFileSync(c.paths.launch, 'utf8')),
      health: { ...health, intervalMs: 3_600_000 },
    }),
  );
  client.send(Frame.stdinEnd);
  await until(() => c.state.restartCount === 1 && c.state.phase === 'running');
  t.deepEqual(healthOf(c), { status: 'starting', failingStreak: 0, log: [] });
  const other = c.connect();
  other.send(Frame.signal, Buffer.of(9));
  await until(() => existsSync(c.paths.exit) && !existsSync(c.paths.state));
});

test.serial('a thousand probes cost the monitor no memory, and it stays below 2 MB', async (t) => {
  t.timeout(280_000);
  const one = checked('true');
  const run = await one.c.start();
  try {
    const pid = one.c.monitorPid;
    const count = () => readFileSync(one.events, 'utf8').split('"Action":"exec_die"').length - 1;
    await until(() => count() >= 50);
    const before = anonymousMemory(pid);
    const fds = () => readdirSync(`/proc/${pid}/fd`).length;
    await until(() => count() >= 1050);
    const after = anonymousMemory(pid);
    t.log(`anonymous memory: ${before} KiB after 50 probes, ${after} KiB after 1050`);
    t.true(after <= before + 128, `${before} -> ${after} KiB`);
    t.true(after < 2048);
    t.true(fds() < 24, `${fds()} fds`);
  } finally {
    await kill(one, run);
  }
  await until(() => sessions(one.c).length === 0);
});
