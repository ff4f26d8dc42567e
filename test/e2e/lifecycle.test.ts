/** A container's whole life: the verbs in order, their events, restart policies across a reboot, an init that reaps. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { run, Store, TSRUN } from '../helpers/cli.js';
import { leaksAfterSettling } from '../helpers/leaks.js';

let store: Store;

test.before(() => {
  store = new Store();
});

test.afterEach.always('nothing is left behind', async (t) => {
  const ids = (await store.ok('ps', '-aq')).split('\n').filter(Boolean);
  if (ids.length > 0) await store.ok('rm', '-fv', ...ids);
  t.deepEqual(await leaksAfterSettling(store.root), []);
});

test.after.always(() => store.destroy());

/** Ends with 7, and at once, when it is asked to. */
const POLITE = ['sh', '-c', 'trap "exit 7" TERM; while :; do sleep 0.05; done'];

interface Event {
  Action: string;
  Actor: { ID: string; Attributes: Record<string, string> };
  timeNano: string;
}

/** The events of a container so far, oldest first. */
async function eventsOf(id: string): Promise<Event[]> {
  const until = String(Date.now() / 1000 + 1);
  const text = await store.ok(
    'events',
    '--since',
    '0',
    '--until',
    until,
    '--filter',
    `container=${id}`,
    '--format',
    '{{json .}}',
  );
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      // Past 2^53: as text.
      const timeNano = /"timeNano":(\d+)/.exec(line)?.[1] ?? '';
      return { ...(JSON.parse(line) as Event), timeNano };
    });
}

async function field(name: string, format: string): Promise<string> {
  return (await store.ok('inspect', '-f', format, name)).trim();
}

/** Waits until the field has that value: for what happens by itself. */
async function until(name: string, format: string, value: string): Promise<void> {
  while ((await field(name, format)) !== value) await delay(50);
}

/** As docker 28 emits them, but for those of networks; execDuration depends on the machine. */
const EVENTS = `
create {"a":"b","image":"busybox","name":"life"}
start {"a":"b","image":"busybox","name":"life"}
exec_create: sh -c exit 5 {"a":"b","execID":"ID","image":"busybox","name":"life"}
exec_start: sh -c exit 5 {"a":"b","execID":"ID","image":"busybox","name":"life"}
exec_die {"a":"b","execID":"ID","exitCode":"5","image":"busybox","name":"life"}
pause {"a":"b","image":"busybox","name":"life"}
unpause {"a":"b","image":"busybox","name":"life"}
kill {"a":"b","image":"busybox","name":"life","signal":"15"}
die {"a":"b","execDuration":"N","exitCode":"7","image":"busybox","name":"life"}
stop {"a":"b","image":"busybox","name":"life"}
start {"a":"b","image":"busybox","name":"life"}
restart {"a":"b","image":"busybox","name":"life"}
kill {"a":"b","image":"busybox","name":"life","signal":"9"}
die {"a":"b","execDuration":"N","exitCode":"137","image":"busybox","name":"life"}
rename {"a":"b","image":"busybox","name":"lived","oldName":"/life"}
start {"a":"b","image":"busybox","name":"lived"}
kill {"a":"b","image":"busybox","name":"lived","signal":"15"}
die {"a":"b","execDuration":"N","exitCode":"7","image":"busybox","name":"lived"}
stop {"a":"b","image":"busybox","name":"lived"}
destroy {"a":"b","image":"busybox","name":"lived"}
`;

test.serial(
  'create, start, exec, pause, restart, kill, wait, rename, stop, rm: states, and events in order',
  async (t) => {
    const state = () => field(id, '{{.State.Status}} {{.State.ExitCode}}');
    const id = (await store.ok('create', '--name', 'life', '--label', 'a=b', 'busybox', ...POLITE)).trim();
    t.is(await state(), 'created 0');
    t.is(await store.ok('start', 'life'), 'life\n');
    t.is(await state(), 'running 0');
    t.is((await store.tsrun(['exec', 'life', 'sh', '-c', 'exit 5'])).code, 5);
    await store.ok('pause', 'life');
    t.is(await state(), 'paused 0');
    await store.ok('unpause', 'life');
    const before = await field(id, '{{.State.Pid}}');
    await store.ok('restart', 'life');
    t.is(await state(), 'running 0');
    t.not(await field(id, '{{.State.Pid}}'), before);
    await store.ok('kill', 'life');
    t.is(await store.ok('wait', 'life'), '137\n');
    t.is(await state(), 'exited 137');
    await store.ok('rename', 'life', 'lived');
    await store.ok('start', 'lived');
    await store.ok('stop', 'lived');
    t.is(await state(), 'exited 7');
    await store.ok('rm', 'lived');
    t.regex((await store.tsrun(['inspect', id])).stderr, /No such object/);

    const events = await eventsOf(id);
    const lines = events.map(({ Action, Actor }) => {
      const sorted = Object.fromEntries(Object.entries(Actor.Attributes).sort());
      return `${Action} ${JSON.stringify(sorted)}`;
    });
    const text = lines.join('\n').replaceAll(/"execID":"[0-9a-f]{64}"/g, '"execID":"ID"');
    t.is(text.replaceAll(/"execDuration":"\d+"/g, '"execDuration":"N"'), EVENTS.trim());
    t.true(events.every(({ Actor }) => Actor.ID === id));
    const times = events.map(({ timeNano }) => BigInt(timeNano));
    t.deepEqual(
      times,
      [...times].sort((a, b) => (a < b ? -1 : 1)),
    );
  },
);

test.serial('on-failure:3 tries three times more, each after twice the pause', async (t) => {
  const flags = ['--name', 'failing', '--network', 'none', '--restart', 'on-failure:3'];
  const id = (await store.ok('run', '-d', ...flags, 'busybox', 'sh', '-c', 'echo try; exit 3')).trim();
  await until('failing', '{{.State.Status}} {{.RestartCount}} {{.State.ExitCode}}', 'exited 3 3');
  t.is(await store.ok('logs', 'failing'), 'try\n'.repeat(4));
  const events = await eventsOf(id);
  const once = ['start', 'die'];
  t.deepEqual(
    events.map(({ Action }) => Action),
    ['create', ...once, ...once, ...once, ...once],
  );
  const pauses = [2, 4, 6].map(
    (i) => (BigInt(events[i + 1]?.timeNano ?? 0) - BigInt(events[i]?.timeNano ?? 0)) / 1_000_000n,
  );
  // Not shorter than this; how much longer is the machine's.
  for (const [i, least] of [100n, 200n, 400n].entries()) t.true((pauses[i] ?? 0n) >= least, `${pauses}`);
});

test.serial('on-failure leaves a success alone', async (t) => {
  const flags = ['--name', 'fine', '--network', 'none', '--restart', 'on-failure'];
  const id = (await store.ok('run', '-d', ...flags, 'busybox', 'true')).trim();
  await until('fine', '{{.State.Status}}', 'exited');
  t.deepEqual(
    (await eventsOf(id)).map(({ Action }) => Action),
    ['create', 'start', 'die'],
  );
});

test.serial(
  'always: ends and comes again, until stop; a stop in the pause between two runs ends it, too',
  async (t) => {
    const flags = ['--network', 'none', '--restart', 'always'];
    await store.ok('run', '-d', '--name', 'again', ...flags, 'busybox', 'sh', '-c', 'echo run; exit 1');
    while (Number(await field('again', '{{.RestartCount}}')) < 2) await delay(50);
    await store.ok('stop', '-t', '1', 'again');
    t.is(await field('again', '{{.State.Running}} {{.State.Restarting}}'), 'false false');
    const runs = await store.ok('logs', 'again');
    await delay(1000); // longer than the next pause would be
    t.is(await store.ok('logs', 'again'), runs);
    await store.ok('start', 'again');
    await store.ok('rm', '-f', 'again');
  },
);

/** Kills all monitors at once, as a machine does that loses its power; their containers go with them. */
async function powerCut(names: string[]): Promise<void> {
  const pids = await Promise.all(names.map((name) => field(name, '{{.State.Pid}}')));
  const monitors = pids.map((pid) =>
    Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]),
  );
  for (const monitor of monitors) process.kill(monitor, 'SIGKILL');
}

test.serial(
  'a reboot: everything reads Exited, and `system boot` starts what the policies say',
  async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'tsrun-boot-'));
    t.teardown(() => rmSync(dir, { recursive: true, force: true }));
    const policies = {
      no: [],
      always: ['always'],
      kept: ['unless-stopped'],
      halted: ['unless-stopped'],
      stopped: ['always'],
    };
    for (const [name, policy] of Object.entries(policies))
      await store.ok(
        'run',
        '-d',
        '--name',
        `b-${name}`,
        ...policy.flatMap((word) => ['--restart', word]),
        'busybox',
        ...POLITE,
      );
    await store.ok('stop', 'b-halted', 'b-stopped');
    await powerCut(['b-no', 'b-always', 'b-kept']);
    const bootId = join(dir, 'boot_id');
    writeFileSync(bootId, '01234567-89ab-cdef-0123-456789abcdef\n');
    const script = `
    mount --bind ${bootId} /proc/sys/kernel/random/boot_id
    t() { ${TSRUN} "$@"; }
    list() { t ps -a --format '{{.Names}} {{.Status}}' | sed 's/ (\\([0-9]*\\)).*/ \\1/; s/ Up .*/ Up/' | sort; }
    list; echo --; t system boot; echo --; list; echo --
    t exec b-kept ip -4 -o addr show eth0 | grep -c inet
    t rm -f $(t ps -aq) >/dev/null`;
    const { stdout, stderr, code } = await run('unshare', ['-m', 'sh', '-ec', script], {
      env: store.environment(),
    });
    t.is(code, 0, stderr);
    const [before, started, after, address] = stdout.split('--\n');
    t.is(
      before,
      'b-always Exited 137\nb-halted Exited 7\nb-kept Exited 137\nb-no Exited 137\nb-stopped Exited 7\n',
    );
    t.deepEqual(started?.trim().split('\n').sort(), ['b-always', 'b-kept', 'b-stopped']);
    t.is(after, 'b-always Up\nb-halted Exited 7\nb-kept Up\nb-no Exited 137\nb-stopped Up\n');
    t.is(address, '1\n');
  },
);

/** Leaves a child behind that ends; how many zombies there are then. */
const ORPHAN = '(sh -c "sleep 0.1 &"); sleep 0.5; grep -l "^State:.Z" /proc/[0-9]*/status | wc -l';

test.serial(
  '--init is PID 1, reaps what is left behind, passes signals on and the exit code back',
  async (t) => {
    await store.ok(
      'run',
      '-d',
      '--name',
      'reaped',
      '--network',
      'none',
      '--init',
      'busybox',
      'sleep',
      '1000',
    );
    t.regex(await store.ok('exec', 'reaped', 'cat', '/proc/1/cmdline'), /^\/sbin\/docker-init\0/);
    t.is(await store.ok('exec', 'reaped', 'sh', '-c', ORPHAN), '0\n');
    await store.ok('stop', '-t', '60', 'reaped');
    t.is(await field('reaped', '{{.State.ExitCode}}'), '143', 'sleep, which is not PID 1, dies of SIGTERM');
    // The check sees zombies where there are some.
    await store.ok('run', '-d', '--name', 'unreaped', '--network', 'none', 'busybox', 'sleep', '1000');
    t.is(await store.ok('exec', 'unreaped', 'sh', '-c', ORPHAN), '1\n');
  },
);
