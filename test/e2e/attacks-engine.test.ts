/** Attacks on the engine through what it is told and asked (docs/security.md: T13, T19 to T23). */
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import test from 'ava';
import type { ImageRunConfig } from '../../src/types/oci.js';
import { Arena } from '../helpers/arena.js';
import { run } from '../helpers/cli.js';
import { imageOf, layerOf } from '../helpers/images.js';

let arena: Arena;
test.serial.before(async () => {
  arena = new Arena();
  await arena.start('box', [], 'sh', '-c', 'echo ready; exec sleep 7777');
});
test.after.always((t) => arena.end(t));

const AS_NOBODY = ['--reuid', '65534', '--regid', '65534', '--clear-groups'];
const BUSYBOX = ['-v', '/bin/busybox:/busybox:ro'];

const HARMLESS: ImageRunConfig = {
  Volumes: { '../../../tmp/x': {}, '/a/../../etc/y': {} },
  Env: ['A=b\nC=d', '=x', 'LD_PRELOAD=/evil.so', 'NODE_OPTIONS=--require=/evil.js'],
  Labels: { 'containerd.io/restart.policy': 'always', 'io.podman.annotations.privileged': 'TRUE' },
  ExposedPorts: Object.fromEntries(Array.from({ length: 60_000 }, (_, i) => [`${i + 1}/tcp`, {}])),
};
const HOSTILE: Record<string, [config: ImageRunConfig, expected: RegExp]> = {
  'harmless:1': [HARMLESS, /^0 \/\nCapEff:\t00000000a80425fb\n/],
  'user:1': [{ User: '4294967296' }, /^125 .*uids and gids must be in range/],
  'variable:1': [{ Env: ['A=b\0c'] }, /^125 .*NUL/],
};

test.serial('the config of an image decides nothing outside of the container', async (t) => {
  const layer = layerOf([{ path: 'etc/empty', content: '' }], 'none');
  const images = Object.entries(HOSTILE).map(([name, [config]]) => [
    name,
    imageOf([layer], { config: { config } }),
  ]);
  const { code, stderr } = await arena.loadImages(Object.fromEntries(images));
  t.is(code, 0, stderr);
  const script = '/busybox pwd; /busybox grep CapEff /proc/self/status';
  await Promise.all(
    Object.entries(HOSTILE).map(async ([name, [, expected]]) => {
      const result = await arena.runImage(name, BUSYBOX, '/busybox', 'sh', '-c', script);
      t.regex(`${result.code} ${result.stdout}${result.stderr}`, expected, name);
      t.notRegex(result.stderr, /bug in tsrun/, name);
    }),
  );
});

// Was seen to fail without mayConnect (native/helper/attach.cc).
test.serial('the socket of a monitor is for root alone, also where its directory is open', async (t) => {
  const sock = join(arena.directoryOf('box'), 'sock');
  const hidden = await run('setpriv', [...AS_NOBODY, 'stat', sock]);
  t.regex(hidden.stderr, /Permission denied/);
  // Mounted elsewhere it is reached past its directory, and its mode says nothing any more: who asks is looked at.
  const place = join(arena.dir, 'place');
  chmodSync(arena.dir, 0o711);
  writeFileSync(place, '');
  const attempt = (uid: number) => {
    const script = `mount --bind ${sock} ${place}; chmod 666 ${place}; ${arena.tool} connect ${place} ${uid}; chmod 600 ${place}`;
    return run('unshare', ['-m', 'sh', '-c', script]);
  };
  t.regex((await attempt(65534)).stdout, /^(closed|ECONNRESET|send EPIPE)\n$/);
  t.is((await attempt(0)).stdout, 'answered\n');
  // A container with the network of the host sees names in the abstract space.
  const { stdout } = await arena.store.tsrun([
    'run',
    '--rm',
    '--network',
    'host',
    'busybox',
    'cat',
    '/proc/net/unix',
  ]);
  t.regex(stdout, /Path/);
  t.notRegex(stdout, /@.*tsrun/);
});

const CANARY = `canary-${process.pid}-of-a-secret`;

test.serial('a secret of the environment is in no command line and no readable file', async (t) => {
  process.env.SECRET = CANARY;
  t.teardown(() => delete process.env.SECRET);
  await arena.start('safe', ['-e', 'SECRET'], 'sh', '-c', 'echo ready; exec sleep 7777');
  t.is((await arena.store.ok('exec', '-e', 'SECRET', 'safe', 'sh', '-c', 'echo $SECRET')).trim(), CANARY);
  const nobody = (script: string) => run('setpriv', [...AS_NOBODY, 'sh', '-c', script]);
  const lines = await nobody(
    `cat /proc/[0-9]*/cmdline 2>/dev/null | grep -c ${CANARY.slice(0, -6)}[-]secret`,
  );
  t.is(lines.stdout, '0\n');
  const monitor = arena.monitorOf('safe');
  const pried = await nobody(
    `cat /proc/${monitor}/environ /proc/${monitor}/maps ${arena.directoryOf('safe')}/*`,
  );
  t.is(pried.stdout, '');
  t.notRegex(readFileSync(`/proc/${monitor}/environ`, 'utf8'), /canary/, 'not even root finds it there');
  await arena.remove('safe');
});

test.serial('what is long is passed on whole, or refused', async (t) => {
  const env = Array.from({ length: 5000 }, (_, i) => `V${i}=${'x'.repeat(60)}${i}`);
  const file = join(arena.dir, 'env');
  writeFileSync(file, `${env.join('\n')}\n`);
  const script = 'env | grep -c "^V[0-9]*=x"; env | grep "^V4999="';
  const expected = `5000\n${env[4999]}\n`;
  t.is((await arena.run(['--env-file', file], 'sh', '-c', script)).stdout, expected);
  t.is((await arena.store.tsrun(['exec', '--env-file', file, 'box', 'sh', '-c', script])).stdout, expected);
  const long = await arena.run(['--mount', `type=tmpfs,dst=/${'a/'.repeat(30_000)}b`], 'true');
  t.is(long.code, 125);
  t.regex(long.stderr, /name too long|ENAMETOOLONG/);
});

/** Of a process: what grows when something is not given back. */
function weight(pid: number) {
  const kilobytes = Number(/^RssAnon:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  return { fds: readdirSync(`/proc/${pid}/fd`).length, kilobytes };
}

test.serial('five hundred clients that vanish leave nothing in the monitor', async (t) => {
  const monitor = arena.monitorOf('box');
  const client = () =>
    new Promise<void>((done) => {
      const socket = connect(`/proc/self/cwd/sock`, () => {
        // Hello, for both streams; half a frame; gone.
        socket.write(Buffer.from([8, 0, 0, 0, 0, 0, 0, 1, 3, 6, 0]), () => socket.destroy());
      });
      socket.on('error', () => {}).on('close', () => done());
    });
  const own = process.cwd();
  process.chdir(arena.directoryOf('box'));
  t.teardown(() => process.chdir(own));
  for (let i = 0; i < 50; i += 1) await client();
  await arena.store.ok('exec', 'box', 'true');
  const before = weight(monitor);
  for (let i = 0; i < 50; i += 1) await Promise.all(Array.from({ length: 10 }, client));
  process.chdir(own);
  await arena.store.ok('exec', 'box', 'true');
  const after = weight(monitor);
  t.is(after.fds, before.fds);
  t.true(after.kilobytes <= before.kilobytes + 64, `${before.kilobytes} -> ${after.kilobytes} kB`);
});

test.serial('programs of the container are run by nobody outside of it', async (t) => {
  // A ps that tells whether it has more rights than a container.
  const trap = '#!/bin/sh\ngrep CapEff /proc/self/status >> /tmp/ran\n';
  const prepare = `for n in ps nsenter tar xz gzip id; do printf '${trap.replaceAll('\n', '\\n')}' > /bin/evil-$n
    chmod 755 /bin/evil-$n; rm -f /bin/$n; mv /bin/evil-$n /bin/$n; done; touch /tmp/ran; echo ready; exec sleep 7777`;
  await arena.start('trapped', [], 'sh', '-c', prepare);
  t.regex(await arena.store.ok('top', 'trapped'), /sleep 7777/);
  await arena.store.ok('cp', 'trapped:/etc/passwd', join(arena.dir, 'passwd'));
  await arena.store.ok('export', '-o', join(arena.dir, 'tar'), 'trapped');
  await arena.store.ok('commit', 'trapped', 'trapped:1');
  t.is(await arena.store.ok('exec', 'trapped', 'cat', '/tmp/ran'), '');
  await arena.remove('trapped');
});
