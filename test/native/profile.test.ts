/** What a container gets unless a flag says otherwise, as its own shell sees it, and what it is refused. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { directory, removeWork, runContainer, shell } from './container.js';

test.after.always(removeWork);

test('the process has the default capabilities, the filter, clean signals and three fds', async (t) => {
  // The first one as PID 1 itself: a shell has signal handlers of its own.
  const pattern = '^(Cap|NoNew|Seccomp:|Sig(Blk|Ign|Cgt))';
  const { stdout } = await runContainer({ command: ['grep', '-E', pattern, '/proc/self/status'] });
  const out = stdout + (await shell('ls -1 /proc/$$/fd; umask; id; pwd'));
  t.is(
    out.replaceAll('\t', ' '),
    `SigBlk: 0000000000000000
SigIgn: 0000000000000000
SigCgt: 0000000000000000
CapInh: 0000000000000000
CapPrm: 00000000a80425fb
CapEff: 00000000a80425fb
CapBnd: 00000000a80425fb
CapAmb: 0000000000000000
NoNewPrivs: 0
Seccomp: 2
0
1
2
0022
uid=0(root) gid=0(root) groups=0(root)
/
`,
  );
});

test('mounts have the flags of the profile', async (t) => {
  const mountinfo = await shell('cat /proc/self/mountinfo');
  const flags = new Map(
    mountinfo
      .trim()
      .split('\n')
      .map((line) => {
        const [before = '', after = ''] = line.split(' - ');
        const [, , , , target = '', options = ''] = before.split(' ');
        return [target, `${after.split(' ')[0]} ${options.split(',').sort().join(',')}`];
      }),
  );
  const guarded = 'nodev,noexec,nosuid,relatime';
  const expected: Record<string, string> = {
    '/': 'overlay relatime,rw',
    '/proc': `proc ${guarded},rw`,
    '/dev': 'tmpfs nosuid,rw',
    '/dev/pts': 'devpts noexec,nosuid,relatime,rw',
    '/dev/shm': `tmpfs ${guarded},rw`,
    '/dev/mqueue': `mqueue ${guarded},rw`,
    '/sys': `sysfs ${guarded},ro`,
    '/proc/sys': `proc ${guarded},ro`,
    '/proc/bus': `proc ${guarded},ro`,
    '/proc/keys': 'tmpfs noexec,nosuid,relatime,ro',
  };
  for (const [target, options] of Object.entries(expected)) t.is(flags.get(target), options, target);
  for (const [target, options] of flags)
    if (target.startsWith('/sys/fs/cgroup')) t.regex(options, /noexec,nosuid,relatime,ro$/, target);
  t.false(/shared:|master:/.test(mountinfo), 'nothing propagates');
});

test('devices are those of the profile, and no others can be opened', async (t) => {
  const out =
    await shell(`cd /dev; for n in null zero full random urandom tty; do stat -c '%n %a %t:%T' $n; done
    for n in fd stdin stdout stderr ptmx; do echo "$n $(readlink $n)"; done
    mknod /tmp/disk b 254 0 && cat /tmp/disk 2>&1; cat /dev/full | head -c1 | wc -c; echo x > /dev/null`);
  t.is(
    out,
    `null 666 1:3
zero 666 1:5
full 666 1:7
random 666 1:8
urandom 666 1:9
tty 666 5:0
fd /proc/self/fd
stdin /proc/self/fd/0
stdout /proc/self/fd/1
stderr /proc/self/fd/2
ptmx pts/ptmx
cat: can't open '/tmp/disk': Operation not permitted
1
`,
  );
});

test('masked files are empty and cannot be changed, read-only ones refuse', async (t) => {
  const out =
    await shell(`for f in /proc/keys /proc/timer_list /proc/interrupts; do wc -c < $f; chmod 0 $f; done
    ls -A /sys/firmware; for f in /proc/sys/kernel/core_pattern /proc/sys/vm/swappiness; do echo x > $f; done
    touch /sys/fs/cgroup/x; for d in /sys/fs/cgroup/*/; do mkdir $d/x; done; mount -t tmpfs none /mnt; true`);
  t.deepEqual(out.match(/^0$/gm)?.length, 3);
  t.is(out.match(/Read-only file system/g)?.length, 3 + 2 + 1 + (out.match(/mkdir:/g)?.length ?? 0));
  t.regex(out, /mount: permission denied/);
});

test('sysctls, limits, names and environment, HOME last', async (t) => {
  const out = await shell(
    `pwd; cd /proc/sys/net/ipv4; cat ip_unprivileged_port_start ping_group_range; ulimit -n; ulimit -c
    hostname; cat /etc/hostname; tr '\\0' '\\n' < /proc/1/environ; true`,
    { hostname: 'box', workdir: '/made/here', env: ['A=1'] },
  );
  t.is(
    out.replaceAll('\t', ' '),
    `/made/here
0
0 2147483647
1024
0
box
box
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
HOSTNAME=box
A=1
HOME=/root
`,
  );
});

/** errno of system calls as a static program sees it; 0 = it was let through. */
const PROBE = `
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
static void say(const char *name, long result) { printf("%s %d\\n", name, result < 0 ? errno : 0); }
int main(void) {
  say("getpid", syscall(SYS_getpid));
  say("keyctl", syscall(SYS_keyctl, 0, -3, 0));
  say("io_uring_setup", syscall(425, 1, 0));
  say("clone3", syscall(435, 0, 0));
  say("open_tree_attr", syscall(467));
  say("999", syscall(999));
  say("unshare", syscall(SYS_unshare, 0x10000000));
  say("unix", syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0));
  say("alg", syscall(SYS_socket, 38, SOCK_SEQPACKET, 0));
  say("alg with high bits", syscall(SYS_socket, 0x100000026, SOCK_SEQPACKET, 0));
  say("vsock", syscall(SYS_socket, 40, SOCK_STREAM, 0));
  say("personality", syscall(SYS_personality, 0xffffffff));
  say("personality other", syscall(SYS_personality, 0x0040000));
}`;

test('the filter refuses what the profile refuses, and newer calls do not exist', async (t) => {
  const dir = directory('probe');
  writeFileSync(join(dir, 'probe.c'), PROBE);
  mkdirSync(join(dir, 'top/bin'), { recursive: true });
  execFileSync('cc', ['-static', '-O1', '-w', '-o', join(dir, 'top/bin/probe'), join(dir, 'probe.c')]);
  const { stdout } = await runContainer({ command: ['probe'], lower: [join(dir, 'top')] });
  t.is(
    stdout,
    `getpid 0
keyctl 1
io_uring_setup 1
clone3 38
open_tree_attr 38
999 38
unshare 1
unix 0
alg 1
alg with high bits 1
vsock 1
personality 0
personality other 1
`,
  );
});

test('with no_new_privs the order is the other one and the result the same', async (t) => {
  const out = await shell('grep -E "^(CapEff|NoNew|Seccomp:)" /proc/self/status; id -u', {
    user: 'nobody',
    change: ({ spec }) => {
      spec.process.noNewPrivileges = true;
    },
  });
  t.is(out.replaceAll('\t', ' '), 'CapEff: 0000000000000000\nNoNewPrivs: 1\nSeccomp: 2\n65534\n');
});

test('a terminal has its size before exec and is the console', async (t) => {
  const { stdout } = await runContainer({
    command: [
      'sh',
      '-c',
      'stty size; tty; stat -c %U:%G:%a /dev/console /dev/pts/0; echo to > /dev/tty; ls -1 /proc/$$/fd; true',
    ],
    tty: true,
    consoleSize: { rows: 33, cols: 101 },
    user: 'nobody',
  });
  t.is(stdout.replaceAll('\r\n', '\n'), '33 101\n/dev/pts/0\nnobody:tty:620\nnobody:tty:620\nto\n0\n1\n2\n');
});

test('/dev/stdout can be opened by the user it belongs to', async (t) => {
  t.is(await shell('echo a > /dev/stdout; echo b > /dev/stderr', { user: '1234' }), 'a\nb\n');
});

test('a read-only root, with a read-only tmpfs that is filled first', async (t) => {
  const out = await shell('touch /x /ro/x; touch /dev/shm/y && echo shm; ls /ro', {
    workdir: '/new/dir',
    change: ({ spec }) => {
      spec.root.readonly = true;
      spec.mounts.push(
        { destination: '/ro', type: 'tmpfs', source: 'tmpfs', options: ['ro', 'size=1m'] },
        { destination: '/ro/in', type: 'tmpfs', source: 'tmpfs', options: [] },
      );
    },
  });
  t.is(out, 'shm\nin\ntouch: /x: Read-only file system\ntouch: /ro/x: Read-only file system\n');
});
