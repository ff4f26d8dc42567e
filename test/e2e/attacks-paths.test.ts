/**
 * Attacks on names (docs/security.md: T3 to T7, T13): roots whose directories are links, volumes in which a neighbour
 * exchanges what the engine has looked at for what it has not.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { Arena, ATTACKER } from '../helpers/arena.js';
import { imageOf, layerOf, tarOf } from '../helpers/images.js';

let arena: Arena;
test.serial.before(() => {
  arena = new Arena();
});
test.after.always((t) => arena.end(t));

const CORE_PATTERN = '/proc/sys/kernel/core_pattern';

/** An image of busybox and one more layer with links in it. */
async function imageWithLinks(name: string, links: Record<string, string>): Promise<void> {
  const file = join(arena.dir, 'root.tar');
  const entries = Object.entries(links).map(([path, link]) => ({ path, link }));
  const tree = tarOf([...entries], { symlinks: true });
  writeFileSync(file, tree);
  await arena.store.ok('import', file, name);
}

const NAMES = ['proc', 'sys', 'dev', 'etc'];
const TARGETS = ['../../../../../..', '/proc/1/root'];

test.serial('a root whose /proc, /sys, /dev and /etc are links reaches nothing of the host', async (t) => {
  const devices = readdirSync('/dev').join();
  const hosts = readFileSync('/etc/hosts', 'utf8');
  const program = ['-v', '/bin/busybox:/busybox:ro'];
  for (const target of TARGETS) {
    await imageWithLinks('links', Object.fromEntries(NAMES.map((name) => [name, target])));
    const script = `stat -f -c %t /proc; cat ${arena.victim}/secret; echo evil > /etc/hosts; echo evil > /dev/evil`;
    const { code, stdout } = await arena.runImage('links', program, '/busybox', 'sh', '-c', script);
    // The engine's own top layer has directories there: it works, on a /proc that is one.
    t.deepEqual([code, stdout], [0, '9fa0\n'], target);
  }
  await imageWithLinks('inner', { 'dev/pts': '/', 'dev/shm': '/etc', 'dev/console': CORE_PATTERN });
  const inner = await arena.runImage('inner', [...program, '-t'], '/busybox', 'tty');
  t.deepEqual([inner.code, inner.stdout], [0, '/dev/pts/0\r\n'], inner.stderr);
  t.is(readdirSync('/dev').join(), devices);
  t.is(readFileSync('/etc/hosts', 'utf8'), hosts);
  t.false(existsSync('/dev/evil'));
});

const MASKED = ['/proc/keys', '/proc/timer_list', '/proc/interrupts', '/proc/kcore'];

// Was seen to fail with the container's own /dev/null as the cover (native/runtime/masks.cc).
test.serial('a neighbour that shares /dev changes neither a mask nor the console', async (t) => {
  const before = readFileSync(CORE_PATTERN, 'utf8');
  const prepare = `cd /dev; mknod -m 666 null c 1 3; ln -s ${CORE_PATTERN} evil; mkdir real-pts pts
    ln -s /proc/sys/kernel evil-pts; touch console; ln -s ${CORE_PATTERN} evil-console; touch tty
    echo ready; exec ${ATTACKER} flip /dev/null /dev/evil /dev/pts /dev/evil-pts /dev/console /dev/evil-console`;
  await arena.start('flipper', ['-v', 'dev:/shared'], 'sh', '-c', prepare.replaceAll('/dev', '/shared'));
  const script = `for f in ${MASKED.join(' ')}; do [ ! -e $f ] || wc -c < $f; done; tty; stat -f -c %t /dev/pts`;
  const flags = ['-v', 'dev:/dev', '--cap-drop', 'all'];
  let worked = 0;
  for (let round = 0; round < 3; round += 1) {
    const results = await Promise.all([
      arena.run(flags, 'sh', '-c', script),
      arena.run([...flags, '-t'], 'sh', '-c', script),
    ]);
    for (const { code, stdout, stderr } of results) {
      if (code !== 125) worked += 1;
      if (code === 125) t.regex(stderr, /^ {2}step: (mounts|tty|devices|mask)/m);
      else t.regex(stdout.replaceAll('\r', ''), /^(0\n)+(not a tty\n|\/dev\/pts\/0\n)/, stdout);
    }
  }
  t.true(worked > 0, 'some were not lucky enough to be stopped');
  t.is(readFileSync(CORE_PATTERN, 'utf8'), before);
  await arena.remove('flipper');
});

test.serial('nothing is mounted over procfs, whoever says so', async (t) => {
  const config = { config: { Volumes: { '/proc': {} } } };
  await arena.loadImages({
    'overproc:1': imageOf([layerOf([{ path: 'a', content: '' }], 'none')], { config }),
  });
  const attempts = [
    arena.run(['-v', 'vol:/proc'], 'true'),
    arena.run(['-v', 'vol:/proc/self/attr'], 'true'),
    arena.run(['--tmpfs', '/proc/sys'], 'true'),
    arena.run(['-v', 'vol:/x/../proc/1'], 'true'),
    arena.runImage('overproc:1', [], '/a'),
  ];
  for (const { code, stderr } of await Promise.all(attempts)) {
    t.is(code, 125);
    t.regex(stderr, /cannot be mounted because it is (inside \/proc|not of type proc)/);
  }
});

const EVIL = `tsrun-attack-${process.pid}`;

// Was seen to fail without RESOLVE_IN_ROOT (native/runtime/inroot.cc): the mount point was made on the host.
test.serial('a mount point that turns into a link to / is made and mounted inside', async (t) => {
  const prepare = `cd /vol; mkdir a; ln -s / l; exec ${ATTACKER} flip /vol/a /vol/l`;
  await arena.start('swapper', ['-v', 'vol:/vol'], 'sh', '-c', prepare);
  const flags = ['-v', 'vol:/vol', '-v', `${arena.victim}:/vol/a/${EVIL}/deep:ro`];
  const results = await Promise.all(
    Array.from({ length: 5 }, () =>
      arena.run(flags, 'sh', '-c', 'find / -xdev -name etc -maxdepth 3 | wc -l'),
    ),
  );
  for (const { code, stdout, stderr } of results) {
    if (code === 0) t.is(stdout, '1\n');
    else t.regex(stderr, /^ {2}step: mounts\./m, stderr);
  }
  t.false(existsSync(`/${EVIL}`));
  await arena.remove('swapper');
});
