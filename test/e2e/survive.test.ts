/** What is killed, and what must be true afterwards: no daemon, no lost container, nothing left behind. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { ubuntuArchive } from '../../rootfs-fixtures/debian.js';
import { Store, TSRUN } from '../helpers/cli.js';
import { helperProcesses, leaksAfterSettling, visibleMounts } from '../helpers/leaks.js';
import { Terminal } from '../helpers/terminal.js';

let store: Store;

test.serial.before('the image', async () => {
  store = new Store();
  await store.ok('load', '-q', '-i', ubuntuArchive());
});

test.after.always(async (t) => {
  await store.destroy();
  t.pass();
});

async function pidOf(name: string): Promise<number> {
  return Number((await store.ok('inspect', '-f', '{{.State.Pid}}', name)).trim());
}

/** The one helper process that holds the container: its parent. */
function monitorOf(pid: number): number {
  return Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

function alive(pid: number): boolean {
  try {
    // A zombie has ended: only its parent has not looked yet.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

async function gone(pid: number): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (alive(pid)) {
    if (Date.now() > deadline) throw new Error(`process ${pid} is still there`);
    await delay(10);
  }
}

/** Processes below `pid` whose command line matches. */
function descendants(pid: number, pattern: RegExp): number[] {
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((child) => {
      try {
        return Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${child}/status`, 'utf8'))?.[1]) === pid;
      } catch {
        return false;
      }
    });
  return children.flatMap((child) => {
    const matches = pattern.test(readFileSync(`/proc/${child}/cmdline`, 'utf8').replaceAll('\0', ' '));
    return matches ? [child, ...descendants(child, pattern)] : descendants(child, pattern);
  });
}

test.serial('SIGKILL of the CLI leaves the container running and ps true', async (t) => {
  const terminal = new Terminal(`${TSRUN} run -it --name survivor ubuntu /bin/bash`, {
    env: store.environment(),
  });
  t.teardown(() => terminal.end());
  await terminal.waitFor(/root@[0-9a-f]{12}:\/# $/m);
  const cli = [terminal.pid(), ...descendants(terminal.pid(), /node.*tsrun|bin\/tsrun/)].at(-1) ?? 0;
  process.kill(cli, 'SIGKILL');
  await gone(cli);
  t.regex(await store.ok('ps'), / Up .* survivor$/m);
  t.true(alive(await pidOf('survivor')));
  await store.ok('rm', '-f', 'survivor');
  t.deepEqual(await leaksAfterSettling(store.root), []);
});

test.serial('no mount of the store is visible outside the container', async (t) => {
  await store.ok(
    'run',
    '-d',
    '--name',
    'hidden',
    '--network',
    'none',
    '-v',
    'data:/data',
    'ubuntu',
    'sleep',
    '1000',
  );
  const inside = readlinkSync(`/proc/${await pidOf('hidden')}/ns/mnt`);
  t.deepEqual(visibleMounts(store.root, [inside]), []);
  t.true(visibleMounts(store.root).length > 0, 'the check sees the mounts inside');
  await store.ok('rm', '-f', 'hidden');
});

test.serial.before('an image with a set-uid program', async () => {
  await store.ok(
    'run',
    '--name',
    'suid',
    '--network',
    'none',
    'ubuntu',
    'sh',
    '-c',
    'cp /bin/sleep /suid-sleep && chmod 4755 /suid-sleep',
  );
  await store.ok('commit', 'suid', 'test/suid');
  await store.ok('rm', 'suid');
});

const CLEAR_DEATH_SIGNAL = 'syscall($ARGV[0], 1, 0); sleep 1000';
const PRCTL = process.arch === 'arm64' ? '167' : '157';

for (const [kind, args] of Object.entries({
  'an ordinary PID 1': ['ubuntu', 'sleep', '1000'],
  'a set-uid PID 1': ['-u', '65534', 'test/suid', '/suid-sleep', '1000'],
  'a PID 1 that cleared its death signal': ['ubuntu', 'perl', '-e', CLEAR_DEATH_SIGNAL, PRCTL],
})) {
  test.serial(
    `SIGKILL of the monitor of ${kind}: the next command finds an Exited (137) row and nothing else`,
    async (t) => {
      await store.ok('run', '-d', '--name', 'orphan', ...args);
      const pid = await pidOf('orphan');
      const monitor = monitorOf(pid);
      t.regex(readFileSync(`/proc/${monitor}/cmdline`, 'utf8'), /tsrun/);
      process.kill(monitor, 'SIGKILL');
      await gone(monitor);
      t.regex(await store.ok('ps', '-a'), / Exited \(137\) .* orphan$/m);
      await gone(pid);
      t.deepEqual(helperProcesses(store.root), []);
      await store.ok('rm', 'orphan');
      t.deepEqual(await leaksAfterSettling(store.root), []);
    },
  );
}

test.serial('two stores side by side: no address or link twice, and neither sweeps the other', async (t) => {
  const other = new Store();
  try {
    await other.ok('load', '-q', '-i', ubuntuArchive());
    const addresses: string[] = [];
    for (const [index, each] of [store, other, store, other].entries()) {
      await each.ok('run', '-d', '--name', `same${index >> 1}`, 'ubuntu', 'sleep', '1000');
      addresses.push(
        (await each.ok('inspect', '-f', '{{.NetworkSettings.IPAddress}}', `same${index >> 1}`)).trim(),
      );
    }
    t.is(new Set(addresses).size, 4, addresses.join(' '));
    const links = readdirSync('/sys/class/net').filter((name) => /^ts[0-9a-f]/.test(name));
    t.true(links.length >= 4);
    await store.ok('rm', '-f', 'same0', 'same1');
    t.is((await other.ok('ps', '-q')).trim().split('\n').length, 2);
    t.regex(await other.ok('run', '--rm', 'ubuntu', 'cat', '/proc/net/route'), /^eth0\t00000000/m);
    t.deepEqual(await leaksAfterSettling(store.root), []);
  } finally {
    await other.destroy();
  }
  t.deepEqual(await leaksAfterSettling(store.root), []);
});
