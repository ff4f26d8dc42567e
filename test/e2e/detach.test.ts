/** Letting go of a container, and whom a signal reaches: run, start, attach and exec at a real terminal. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { Store, TSRUN } from '../helpers/cli.js';
import { leaksAfterSettling } from '../helpers/leaks.js';
import { Terminal } from '../helpers/terminal.js';

let store: Store;

test.serial.before(async () => {
  store = new Store();
  await store.ok('run', '-dit', '--network', 'none', '--name', 'shell', 'busybox', 'sh');
});

test.after.always(async (t) => {
  await store.destroy();
  t.deepEqual(await leaksAfterSettling(store.root), []);
});

function inTerminal(t: ExecutionContext, args: string, env: Record<string, string> = {}): Terminal {
  const terminal = new Terminal(`sh -c '${TSRUN} ${args}; echo left with $?'`, {
    env: { ...store.environment(), ...env },
  });
  t.teardown(() => terminal.end());
  return terminal;
}

const running = (name: string) => store.ok('inspect', '-f', '{{.State.Running}}', name);

test.serial(
  'attach and exec: keys of the flag let go with exit code 1, ctrl-p ctrl-q are typed',
  async (t) => {
    for (const [verb, rest] of [
      ['attach', 'shell'],
      ['exec -it', 'shell cat'],
    ]) {
      const terminal = inTerminal(t, `${verb} --detach-keys ctrl-x,y ${rest}`);
      // What cat, or the line editor of sh, makes of them is its own affair.
      terminal.press('C-p', 'C-q', 'C-x');
      terminal.type('z\r');
      await terminal.waitFor(/z/);
      terminal.press('C-x');
      terminal.type('y');
      const screen = await terminal.waitFor(/left with 1/);
      t.regex(screen, /read escape sequence/, verb);
    }
    t.is(await running('shell'), 'true\n');
  },
);

test.serial('run and start -ai: keys of config.json, 0 for run and 1 for start', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'tsrun-e2e-config-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  writeFileSync(join(dir, 'config.json'), '{"detachKeys":"ctrl-e,ctrl-e"}');
  const run = inTerminal(t, 'run -it --network none --name away busybox cat', { DOCKER_CONFIG: dir });
  run.type('typed\r');
  await run.waitFor(/typed\ntyped/);
  run.press('C-e', 'C-e');
  await run.waitFor(/left with 0/);
  t.is(await running('away'), 'true\n');
  await store.ok('kill', 'away');
  await store.ok('wait', 'away');
  const start = inTerminal(t, 'start -ai --detach-keys ctrl-x,x away', { DOCKER_CONFIG: dir });
  start.type('again\r');
  await start.waitFor(/again\nagain/);
  start.press('C-x');
  start.type('x');
  t.regex(await start.waitFor(/left with 1/), /read escape sequence/);
  t.is(await running('away'), 'true\n');
  await store.ok('rm', '-f', 'away');
});

test.serial('keys that are none are refused before anything happens', async (t) => {
  for (const args of [
    ['run', '--name', 'none', '--detach-keys', 'foo', 'busybox'],
    ['attach', '--detach-keys', 'foo', 'shell'],
  ]) {
    const { code, stderr } = await store.tsrun(args);
    t.is(code, 1);
    t.regex(stderr, /^tsrun: Invalid escape keys \(foo\) provided/);
  }
  t.is((await store.tsrun(['inspect', 'none'])).code, 1);
});

const TRAP = 'trap "echo got it; exit 3" TERM; while :; do echo here; sleep 0.1; done';

test.serial('--sig-proxy: a signal is for the program, or with =false for the client alone', async (t) => {
  for (const [flags, code, alive] of [
    [[], 3, 'false\n'],
    [['--sig-proxy=false'], 143, 'true\n'],
  ] as const) {
    const child = store.start([
      'run',
      '--network',
      'none',
      '--name',
      'traps',
      ...flags,
      'busybox',
      'sh',
      '-c',
      TRAP,
    ]);
    await new Promise((ready) => child.stdout.once('data', ready));
    child.kill('SIGTERM');
    t.is(await new Promise((done) => child.once('exit', (own, signal) => done(signal ?? own))), code);
    t.is(await running('traps'), alive);
    await store.ok('rm', '-f', 'traps');
  }
});

test.serial('attach: without a terminal signals pass through; with one they end the client', async (t) => {
  await store.ok('run', '-d', '--network', 'none', '--name', 'traps', 'busybox', 'sh', '-c', TRAP);
  const child = store.start(['attach', 'traps']);
  // Who shows what the program says passes signals on to it.
  await new Promise((ready) => child.stdout.once('data', ready));
  child.kill('SIGTERM');
  t.is(await new Promise((done) => child.once('exit', done)), 3);
  await store.ok('rm', 'traps');

  const terminal = inTerminal(t, 'attach shell');
  terminal.type('echo $((40+2))\r');
  await terminal.waitFor(/^42$/m);
  process.kill(terminal.childOf(), 'SIGTERM');
  await terminal.waitFor(/left with 143/);
  t.is(await running('shell'), 'true\n');
});
