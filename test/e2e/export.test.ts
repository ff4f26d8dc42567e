/** `export`: one archive that docker imports, with the names that docker itself would put into it (test/golden/copy.ts). */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { run, Store, TSRUN } from '../helpers/cli.js';
import { startDocker } from '../helpers/dockerd.js';
import { leaksAfterSettling } from '../helpers/leaks.js';
import { Terminal } from '../helpers/terminal.js';

let store: Store;
let dir: string;

test.serial.before('a container', async () => {
  store = new Store();
  dir = mkdtempSync(join(tmpdir(), 'tsrun-export-'));
  const script =
    'echo new > /new; chown 5:6 /new; chmod 4711 /new; rm /etc/shadow; ln /new /hard; mkfifo /pipe; echo v > /vol/v';
  await store.ok('run', '--name', 'box', '--network', 'none', '-v', '/vol', 'busybox', 'sh', '-c', script);
});

test.after.always(async (t) => {
  t.deepEqual(await leaksAfterSettling(store.root), []);
  await store.destroy();
  rmSync(dir, { recursive: true, force: true });
});

test.serial('docker imports it and runs it', async (t) => {
  const file = join(dir, 'box.tar');
  t.is(await store.ok('export', '-o', file, 'box'), '');
  const docker = await startDocker();
  t.teardown(() => docker.stop());
  t.is((await docker.docker(['import', file, 'box'])).code, 0);
  const script = 'cat /hard; stat -c "%a %u:%g %h" /new; ls /vol /etc/shadow; [ -p /pipe ] && echo pipe';
  const { stdout, stderr } = await docker.docker([
    'run',
    '--rm',
    '--network',
    'none',
    'box',
    'sh',
    '-c',
    script,
  ]);
  t.is(stdout, 'new\n4711 5:6 2\n/vol:\npipe\n');
  t.is(stderr, 'ls: /etc/shadow: No such file or directory\n');
});

test.serial('to a pipe the same bytes as to a file; a terminal is refused', async (t) => {
  const file = join(dir, 'again.tar');
  await store.ok('export', '--output', file, 'box');
  const env = store.environment();
  t.is((await run('sh', ['-c', `${TSRUN} export box | cmp - ${file}`], { env })).code, 0);
  const terminal = new Terminal(`${TSRUN} export box; echo "exit $?"`, { env });
  t.teardown(() => terminal.end());
  const screen = await terminal.waitFor(/exit \d/);
  t.regex(screen, /cowardly refusing to save to a terminal\. Use the -o flag or redirect\nexit 1/);
});

test.serial('a file appears when it is whole, or not at all', async (t) => {
  const script = `mkdir "$1/small"; mount -t tmpfs -o size=100k none "$1/small"
    "$2" export -o "$1/small/x" box; echo "exit $?"; ls -A "$1/small"`;
  const { stdout, stderr } = await run('unshare', ['-m', 'sh', '-c', script, 'sh', dir, TSRUN], {
    env: store.environment(),
  });
  t.is(stdout, 'exit 1\n');
  t.regex(stderr, /no space left on device/i);
  writeFileSync(join(dir, 'kept'), 'kept');
  const missing = await store.tsrun(['export', '-o', join(dir, 'kept'), 'nosuch']);
  t.is(missing.code, 1);
  t.regex(missing.stderr, /No such container: nosuch/);
  t.true(existsSync(join(dir, 'kept')));
  t.false(readdirSync(dir).some((name) => name.includes('tmp-')));
});

test.serial('a reader that goes away ends it', async (t) => {
  const { stderr } = await run('sh', ['-c', `${TSRUN} export box | head -c 1000 > /dev/null`], {
    env: store.environment(),
  });
  t.notRegex(stderr, /bug/);
  t.deepEqual(await leaksAfterSettling(store.root), []);
});
