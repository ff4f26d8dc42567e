/** A container that works against `cp`: its links never lead to the host, neither on the way out nor in. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { Store } from '../helpers/cli.js';
import { hashTree, leaksAfterSettling } from '../helpers/leaks.js';

let store: Store;
let dir: string;

test.serial.before('store and directory', () => {
  store = new Store();
  dir = mkdtempSync(join(tmpdir(), 'tsrun-hostile-'));
  mkdirSync(join(dir, 'victim'));
  writeFileSync(join(dir, 'victim/secret'), 'of the host');
});

test.afterEach.always('nothing is left behind', async (t) => {
  await store.tsrun(['rm', '-fv', 'bad']);
  t.deepEqual(await leaksAfterSettling(store.root), []);
});

test.after.always(async () => {
  await store.destroy();
  rmSync(dir, { recursive: true, force: true });
});

async function start(script: string) {
  await store.ok('run', '-d', '--name', 'bad', '--network', 'none', 'busybox', 'sh', '-c', script);
  while (!(await store.ok('logs', 'bad')).includes('ready'));
}

const ROUNDS = 12;

test.serial('a directory that turns into a link to / and back', async (t) => {
  const secret = join(dir, 'victim/secret');
  // /x is by turns a directory with that path in it, and the root.
  await start(`mkdir -p /a${dir}/victim; echo inside > /a${secret}; ln -s / /b; mv /a /x; echo ready
    while :; do mv /x /a; mv /b /x; mv /x /b; mv /a /x; done`);
  const evil = `evil-${process.pid}`;
  const before = hashTree(join(dir, 'victim'));
  writeFileSync(join(dir, evil), 'evil');
  for (let round = 0; round < ROUNDS; round += 1) {
    const out = await store.tsrun(['cp', `bad:/x${secret}`, '-']);
    t.false(out.stdout.includes('of the host'));
    await store.tsrun(['cp', join(dir, evil), `bad:/x${dir}/victim/`]);
    await store.tsrun(['cp', join(dir, evil), 'bad:/x/']);
    t.false(existsSync(`/${evil}`));
  }
  t.is(hashTree(join(dir, 'victim')), before);
});

test.serial('links to the host’s paths and through /proc lead nowhere', async (t) => {
  await start(`ln -s ${dir}/victim /direct; ln -s /proc/1/root${dir}/victim /proc1; ln -s /proc/self/cwd /cwd
    ln -s ../../../../../../..${dir}/victim /up; ln -s /run /etc/run; mkdir -p /run; ln -s /run /var/run; echo in > /run/f; echo ready; sleep 100000`);
  for (const link of ['direct', 'proc1', 'cwd', 'up']) {
    const out = await store.tsrun(['cp', '-L', `bad:/${link}/secret`, '-']);
    t.is(out.code, 1, link);
    t.regex(out.stderr, /Could not find the file/, link);
    t.is((await store.tsrun(['cp', join(dir, 'victim/secret'), `bad:/${link}/`])).code, 1, link);
  }
  await store.ok('cp', 'bad:/var/run/f', join(dir, 'f'));
  t.is(readFileSync(join(dir, 'f'), 'utf8'), 'in\n', 'an absolute link of the image is followed inside');
});

test.serial('a tree whose parts become links between two copies', async (t) => {
  await start(`mkdir -p /tree/sub; echo replaced > /tree/sub/secret; echo ready; sleep 100000`);
  await store.ok('cp', 'bad:/tree', join(dir, 'tree'));
  rmSync(join(dir, 'tree/sub'), { recursive: true });
  // As an earlier copy of a hostile tree may have left it.
  await store.ok('exec', 'bad', 'sh', '-c', `mv /tree/sub /kept; ln -s ${dir}/victim /tree/sub`);
  await store.ok('cp', 'bad:/tree/.', join(dir, 'tree'));
  await store.ok('exec', 'bad', 'sh', '-c', 'rm /tree/sub; mv /kept /tree/sub');
  const again = await store.tsrun(['cp', 'bad:/tree/.', join(dir, 'tree')]);
  t.is(again.code, 1);
  t.regex(again.stderr, /cannot overwrite non-directory .* with directory/);
  t.is(readFileSync(join(dir, 'victim/secret'), 'utf8'), 'of the host');
});
