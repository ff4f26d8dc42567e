/** The verbs around a running container: stop, restart, pause, attach, rename, top, port, exists. */
import test from 'ava';
import { Store } from '../helpers/cli.js';
import { leaksAfterSettling } from '../helpers/leaks.js';

let store: Store;

test.before(() => {
  store = new Store();
});

test.after.always(async (t) => {
  const { stdout } = await store.tsrun(['ps', '-aq', '--no-trunc']);
  const ids = stdout.split('\n').filter(Boolean);
  if (ids.length > 0) await store.tsrun(['rm', '-f', ...ids]);
  t.deepEqual(await leaksAfterSettling(store.root), []);
  await store.destroy();
});

/** A container that ends at once when it is asked to. */
const POLITE = ['sh', '-c', 'trap "exit 7" TERM; echo up; while :; do sleep 1 & wait $!; done'];

function start(name: string, command: string[] = POLITE, ...flags: string[]) {
  return store.ok('run', '-d', '--name', name, '--network', 'none', ...flags, 'busybox', ...command);
}

async function state(name: string): Promise<string> {
  return (await store.ok('inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', name)).trim();
}

test.serial('stop asks, and kills who does not listen; a stopped one is a success', async (t) => {
  await start('polite');
  await start('deaf', ['sleep', '100000']);
  await store.ok('exec', 'polite', 'true');
  t.is(await store.ok('stop', '-t', '30', 'polite'), 'polite\n');
  t.is(await store.ok('stop', '-t', '0', 'deaf'), 'deaf\n');
  t.is(await state('deaf'), 'exited 137');
  t.is(await store.ok('stop', 'polite', 'deaf'), 'polite\ndeaf\n');
  await store.ok('create', '--name', 'made', 'busybox');
  t.is(await store.ok('stop', 'made'), 'made\n');
  const several = await store.tsrun(['stop', 'nosuch', 'polite']);
  t.is(several.code, 1);
  t.is(several.stdout, 'polite\n');
  t.regex(several.stderr, /No such container: nosuch/);
});

test.serial('restart starts what it stopped, and what never ran', async (t) => {
  t.is(await store.ok('restart', '-t', '0', 'deaf'), 'deaf\n');
  t.is(await state('deaf'), 'running 0');
});

test.serial('pause and unpause', async (t) => {
  t.is(await store.ok('pause', 'deaf'), 'deaf\n');
  t.is(await state('deaf'), 'paused 0');
  t.regex(await store.ok('ps'), /Up .* \(Paused\)/);
  const twice = await store.tsrun(['pause', 'deaf']);
  t.is(twice.code, 1);
  t.regex(twice.stderr, /Container [0-9a-f]{64} is already paused/);
  const attached = await store.tsrun(['attach', 'deaf']);
  t.regex(attached.stderr, /You cannot attach to a paused container, unpause it first/);
  t.is(await store.ok('unpause', 'deaf'), 'deaf\n');
  const again = await store.tsrun(['unpause', 'deaf']);
  t.is(again.code, 1);
  t.regex(again.stderr, /Container [0-9a-f]{64} is not paused/);
  const stopped = await store.tsrun(['pause', 'polite']);
  t.is(stopped.code, 1);
  t.regex(stopped.stderr, /Container [0-9a-f]{64} is not running/);
});

test.serial('top shows the processes by their pids on the host', async (t) => {
  const output = await store.ok('top', 'deaf');
  t.regex(output, /^UID +PID +PPID +C +STIME +TTY +TIME +CMD\n/);
  const pid = (await store.ok('inspect', '-f', '{{.State.Pid}}', 'deaf')).trim();
  t.regex(output, new RegExp(`\\b${pid}\\b.*sleep 100000`));
  t.is((await store.ok('top', 'deaf', '-o', 'pid')).split('\n').filter(Boolean).length, 2);
  t.is((await store.tsrun(['top', 'polite'])).code, 1);
});

test.serial('rename frees the old name and takes the new one', async (t) => {
  t.is(await store.ok('rename', 'deaf', 'renamed'), '');
  t.is(await state('renamed'), 'running 0');
  t.is((await store.tsrun(['inspect', 'deaf'])).code, 1);
  const taken = await store.tsrun(['rename', 'renamed', 'polite']);
  t.is(taken.code, 1);
  t.regex(
    taken.stderr,
    /Conflict\. The container name "\/polite" is already in use by container "[0-9a-f]{64}"/,
  );
  await store.ok('create', '--name', 'deaf', 'busybox');
});

test.serial('exists and port', async (t) => {
  t.deepEqual(await store.tsrun(['container', 'exists', 'renamed']), { code: 0, stdout: '', stderr: '' });
  t.deepEqual(await store.tsrun(['container', 'exists', 'nosuch']), { code: 1, stdout: '', stderr: '' });
  t.is(await store.ok('port', 'renamed'), '');
  const port = await store.tsrun(['port', 'renamed', '99']);
  t.is(port.code, 1);
  t.regex(port.stderr, /No public port '99' published for renamed/);
});

test.serial('attach: what comes from then on, and the exit code', async (t) => {
  const stopped = await store.tsrun(['attach', 'polite']);
  t.is(stopped.code, 1);
  t.regex(stopped.stderr, /You cannot attach to a stopped container, start it first/);
  await start('reader', ['sh', '-c', 'read line; echo "got $line"; exit 5'], '-i');
  const attached = await store.tsrun(['attach', 'reader'], { input: 'word\n' });
  t.deepEqual(attached, { code: 5, stdout: 'got word\n', stderr: '' });
});
