/** Attacks on what containers share with the machine (docs/security.md: T14 to T18): terminals, keys, mounts, cgroups, devices. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { Arena, ATTACKER } from '../helpers/arena.js';
import { run, TSRUN } from '../helpers/cli.js';

let arena: Arena;
test.serial.before(async () => {
  arena = new Arena();
  await arena.start('box', [], 'sh', '-c', 'echo ready; exec sleep 7777');
});
test.after.always((t) => arena.end(t));

const MOUNT = () => ['--network', 'none', '-v', `${arena.tool}:${ATTACKER}:ro`, 'busybox'];

/** What a shell reads from its terminal after tsrun has run in it, and what the attack in there said. */
async function typed(command: readonly string[]): Promise<{ said: string; got: string }> {
  const file = join(arena.dir, 'got');
  const words = [TSRUN, ...command, ATTACKER, 'inject', 'rm-rf'].join(' ');
  const script = `${words}; stty -icanon -echo min 0 time 3; head -c 16 > ${file}`;
  const { stdout } = await run('script', ['-qec', script, '/dev/null'], { env: arena.store.environment() });
  return { said: stdout.replaceAll('\r', ''), got: readFileSync(file, 'utf8') };
}

test.serial('no text gets into the terminal of the caller', async (t) => {
  const plain = await typed(['run', '--rm', '-i', ...MOUNT()]);
  t.regex(plain.said, /^0 ENOTTY\n1 ENOTTY\n2 ENOTTY\n3 (EBADF|ENOTTY)$/m, 'there is no terminal to be had');
  t.notRegex(plain.got, /[rmf]/);
  const terminals = [await typed(['run', '--rm', '-it', ...MOUNT()]), await typed(['exec', '-it', 'box'])];
  for (const { said, got } of terminals) {
    t.regex(said, /3 open/, 'there is one of its own');
    // script itself may send a NUL for the end of its input.
    t.notRegex(got, /[rmf]/);
  }
});

// Was seen to fail without joinKeyring (native/runtime/process.cc).
test.serial('the keys of the caller are not in the container', async (t) => {
  const outside = (args: readonly string[]) =>
    run(arena.tool, ['with-key', TSRUN, ...args], { env: arena.store.environment() });
  const refused = await outside(['run', '--rm', ...MOUNT(), ATTACKER, 'keys']);
  t.is(refused.stdout, 'session EPERM\nsearch EPERM\nrequest EPERM\n', refused.stderr);
  const free = ['--security-opt', 'seccomp=unconfined'];
  const own = await outside(['run', '-d', '--name', 'keys', ...free, ...MOUNT(), 'sleep', '7777']);
  t.is(own.code, 0, own.stderr);
  const alone = await outside(['run', '--rm', ...free, ...MOUNT(), ATTACKER, 'keys']);
  const joined = await outside(['exec', 'keys', ATTACKER, 'keys']);
  for (const { stdout, stderr } of [alone, joined]) {
    t.regex(
      stdout,
      /^session open\nsearch ENOKEY\nrequest ENOKEY\nkeyring;0;0;3f000000;_ses\.[0-9a-f]{64}\n$/,
      stderr,
    );
  }
  await arena.remove('keys');
});

test.serial('no mount of a container reaches the host, also where / is shared', async (t) => {
  const [name, file] = ['lasting', join(arena.dir, 'file')];
  const words = [
    'mount --make-rshared /',
    'cat /proc/self/mountinfo > $D/before',
    `$T run -d --name ${name} --network none --tmpfs /t -v $D/victim:/v busybox sleep 7777`,
    'cat /proc/self/mountinfo > $D/during',
    `$T exec ${name} true; $T cp ${name}:/etc/passwd $D/file; $T cp $D/file ${name}:/copy; $T commit ${name} kept`,
    `$T diff ${name}; $T export -o $D/tar ${name}; $T rm -f ${name}`,
    'cat /proc/self/mountinfo > $D/after',
  ];
  const env = { ...arena.store.environment(), T: TSRUN, D: arena.dir };
  const script = `set -e\n${words.join('\n')}`;
  const { code, stderr } = await run('unshare', ['-m', 'sh', '-c', script], { env });
  t.is(code, 0, stderr);
  const [before, during, after] = ['before', 'during', 'after'].map((at) =>
    readFileSync(join(arena.dir, at), 'utf8'),
  );
  t.regex(before ?? '', / \/ \/ .* shared:/, 'the root is shared');
  const more = (text = '') => text.split('\n').filter((line) => !before?.split('\n').includes(line));
  // Less is possible: what others had mounted before.
  t.deepEqual(more(during), []);
  t.deepEqual(more(after), []);
  t.regex(readFileSync(file, 'utf8'), /^root:/);
});

test.serial('cgroups: nothing to write to, nothing to mount, no way up', async (t) => {
  const script = `${ATTACKER} write-all /sys/fs/cgroup; cat /proc/self/cgroup | grep -v ':/$'
    for kind in cgroup cgroup2; do mount -t $kind none /tmp 2>&1; mount -t $kind -o none,name=x none /tmp 2>&1; done
    mount -o remount,rw /sys/fs/cgroup 2>&1; umount /sys/fs/cgroup 2>&1; echo end`;
  const lines = (await arena.run([], 'sh', '-c', script)).stdout.trim().split('\n');
  t.regex(lines[0] ?? '', /^[1-9]\d* files, 0 writable$/);
  t.is(lines.length, 1 + 4 + 2 + 1, lines.join('\n'));
  for (const line of lines.slice(1, -1)) t.regex(line, /permitted|denied/);
});

// CVE-2022-0492: the kernel would run it as root of the machine.
test.serial('not even with SYS_ADMIN is there a release_agent to be had', async (t) => {
  const script = `mount -t cgroup -o none,name=attack none /tmp 2>&1; mount -t cgroup -o memory none /tmp 2>&1
    find /tmp /sys/fs/cgroup -name release_agent; ls /tmp/tasks /tmp/cgroup.procs 2>/dev/null | head -1; echo end`;
  const { stdout } = await arena.run(['--cap-add', 'SYS_ADMIN'], 'sh', '-c', script);
  t.regex(stdout, /^mount: permission denied.*\n(\/tmp\/.*\n|mount: .*\n)end\n$/, stdout);
});

// Was seen to fail without applyDevicesV1 (native/runtime/cgroup_devices.cc).
test.serial('nodes of devices can be made and not opened, wherever they lie', async (t) => {
  const { stdout } = await arena.run([], ATTACKER, 'devices');
  const lines = stdout.trim().split('\n');
  // Opening the console is allowed to every container: it is its own.
  for (const line of lines.filter((text) => !text.startsWith('c 5:1 '))) t.regex(line, / EPERM$/);
  t.is(lines.length, 15);
  const kept = 'mknod /v/disk b 254 0; mknod /v/mem c 1 1; chmod 666 /v/*';
  await arena.run(['-v', 'nodes:/v'], 'sh', '-c', kept);
  const again = await arena.run(
    ['-v', 'nodes:/v'],
    'sh',
    '-c',
    'for f in /v/disk /v/mem /random; do head -c1 $f; done',
  );
  t.is(again.stdout, '');
  t.is(again.stderr.match(/Operation not permitted/g)?.length, 2, again.stderr);
  const bound = await arena.run(['-v', '/dev/kmsg:/kmsg'], 'head', '-c1', '/kmsg');
  t.deepEqual([bound.stdout, /not permitted/.test(bound.stderr)], ['', true], bound.stderr);
  const exec = await arena.store.tsrun(['exec', 'box', 'sh', '-c', 'mknod /d b 254 0; head -c1 /d']);
  t.deepEqual([exec.stdout, /not permitted/.test(exec.stderr)], ['', true], exec.stderr);
});

test.serial('what the kernel tells of the machine, and takes orders by, is closed', async (t) => {
  const paths = [
    '/proc/sysrq-trigger',
    '/proc/sys/kernel/core_pattern',
    '/proc/sys/kernel/modprobe',
    '/proc/irq',
  ];
  const script = `${ATTACKER} write-all /proc/sys; ${ATTACKER} write-all /sys; ${ATTACKER} write-all /proc/irq
    for p in ${paths.join(' ')}; do umount $p 2>&1; mount -o remount,rw $p 2>&1; done
    cat /proc/kcore /proc/keys /proc/timer_list /sys/firmware/* 2>/dev/null | wc -c`;
  const { stdout } = await arena.run([], 'sh', '-c', script);
  const lines = stdout.trim().split('\n');
  t.regex(lines.slice(0, 3).join(' '), /^(\d+ files, 0 writable ?){3}$/);
  t.is(lines.at(-1), '0');
  for (const line of lines.slice(3, -1)) t.regex(line, /permitted|denied|can't find/, line);
});
