import test from 'ava';
import { CAPABILITIES } from '../../src/plan/profile.js';
import { defaultSeccomp } from '../../src/plan/seccomp.js';
import { ALWAYS_ALLOWED } from '../../src/plan/seccomp-names.js';

const kernel = { major: 6, minor: 1 };
const profile = (capabilities: readonly string[] = CAPABILITIES, arch = 'amd64') =>
  defaultSeccomp({ arch, kernel, capabilities });
const allowed = (seccomp = profile()) => new Set(seccomp.syscalls?.[0]?.names);
const rulesFor = (name: string, seccomp = profile()) =>
  (seccomp.syscalls ?? []).filter(({ names }) => names.includes(name));

test('the always-allowed list is sorted, without doubles', (t) => {
  t.is(ALWAYS_ALLOWED.length, 361);
  t.deepEqual([...new Set(ALWAYS_ALLOWED)].sort(), [...ALWAYS_ALLOWED]);
  t.true(ALWAYS_ALLOWED.every((name) => /^[a-z0-9_]+$/.test(name)));
});

test('everything else is EPERM', (t) => {
  const { defaultAction, defaultErrnoRet } = profile();
  t.deepEqual([defaultAction, defaultErrnoRet], ['SCMP_ACT_ERRNO', 1]);
  const names =
    'keyctl add_key request_key io_uring_setup io_uring_enter userfaultfd kexec_load swapon nfsservctl ustat sysfs move_pages acct mount unshare setns bpf open_by_handle_at reboot';
  for (const name of names.split(' ')) t.is(rulesFor(name).length, 0, name);
});

test('what a default container needs is there', (t) => {
  const names =
    'execve openat2 close_range capset setuid setgid setgroups prctl chroot ptrace futex_waitv epoll_pwait2 arch_prctl';
  for (const name of names.split(' ')) t.true(allowed().has(name), name);
});

test('capabilities unlock system calls', (t) => {
  const none = allowed(profile([]));
  const all = allowed(profile(['CAP_SYS_ADMIN', 'CAP_SYS_TIME', 'CAP_BPF']));
  for (const name of ['chroot', 'mount', 'setns', 'settimeofday', 'bpf', 'clone3'])
    t.false(none.has(name), name);
  for (const name of ['mount', 'setns', 'settimeofday', 'bpf', 'clone', 'clone3'])
    t.true(all.has(name), name);
});

test('clone without new namespaces, and clone3 is not there at all', (t) => {
  t.deepEqual(rulesFor('clone'), [
    {
      names: ['clone'],
      action: 'SCMP_ACT_ALLOW',
      args: [{ index: 0, value: 0x7e020000, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }],
    },
  ]);
  t.deepEqual(rulesFor('clone3'), [{ names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 }]);
  const admin = profile(['CAP_SYS_ADMIN']);
  t.deepEqual(
    rulesFor('clone3', admin).map(({ action }) => action),
    ['SCMP_ACT_ALLOW'],
  );
});

test('sockets of all families but AF_ALG and AF_VSOCK; personalities by value', (t) => {
  const conditions = (name: string) =>
    rulesFor(name).map(({ args = [] }) => `${args[0]?.op} ${args[0]?.value}`);
  t.deepEqual(conditions('socket'), ['SCMP_CMP_LT 38', 'SCMP_CMP_EQ 39', 'SCMP_CMP_GT 40']);
  t.deepEqual(
    rulesFor('personality').map(({ args }) => args?.[0]?.value),
    [0, 8, 0x20000, 0x20008, 0xffffffff],
  );
});

test('architectures', (t) => {
  t.deepEqual(profile().architectures, ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32']);
  const arm = profile(CAPABILITIES, 'arm64');
  t.deepEqual(arm.architectures, ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM']);
  t.true(allowed(arm).has('cacheflush'));
  t.false(allowed(arm).has('arch_prctl'));
  const old = defaultSeccomp({ arch: 'amd64', kernel: { major: 4, minor: 4 }, capabilities: [] });
  t.false(allowed(old).has('ptrace'));
});
