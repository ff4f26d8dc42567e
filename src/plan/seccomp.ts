/**
 * The default system call filter, as the OCI spec says it: everything is refused with EPERM but what is listed, some
 * of it only for certain arguments, capabilities, architectures or kernels. The lists are those of the profile that
 * Docker, containerd and Podman share (moby/profiles, 2026).
 */
import type { SpecSeccomp, SpecSeccompArg } from '../types/oci.js';
import { ALWAYS_ALLOWED } from './seccomp-names.js';

export interface SeccompFacts {
  /** As images name it: amd64, arm64. */
  arch: string;
  kernel: { major: number; minor: number };
  /** The container's bounding set. */
  capabilities: readonly string[];
}

type Rule = NonNullable<SpecSeccomp['syscalls']>[number];

const ALLOW = 'SCMP_ACT_ALLOW';
const ERRNO = 'SCMP_ACT_ERRNO';
const EPERM = 1;
const ENOSYS = 38;

/** The native architecture first, then those whose programs its kernel also runs. */
const ARCHITECTURES: Record<string, string[]> = {
  amd64: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
  arm64: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
};

const ALLOWED_BY_ARCH: Record<string, string> = {
  amd64: 'arch_prctl modify_ldt',
  arm64: 'arm_fadvise64_64 arm_sync_file_range breakpoint cacheflush set_tls sync_file_range2',
};

const ALLOWED_BY_CAPABILITY: Record<string, string> = {
  CAP_BPF: 'bpf',
  CAP_DAC_READ_SEARCH: 'open_by_handle_at',
  CAP_PERFMON: 'perf_event_open',
  CAP_SYSLOG: 'syslog',
  CAP_SYS_ADMIN:
    'bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr ' +
    'lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount open_tree perf_event_open quotactl ' +
    'quotactl_fd setdomainname sethostname setns syslog umount umount2 unshare',
  CAP_SYS_BOOT: 'reboot',
  CAP_SYS_CHROOT: 'chroot',
  CAP_SYS_MODULE: 'delete_module finit_module init_module',
  CAP_SYS_NICE: 'get_mempolicy mbind set_mempolicy set_mempolicy_home_node',
  CAP_SYS_PACCT: 'acct',
  CAP_SYS_PTRACE: 'kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace',
  CAP_SYS_RAWIO: 'ioperm iopl',
  CAP_SYS_TIME: 'clock_settime clock_settime64 settimeofday stime',
  CAP_SYS_TTY_CONFIG: 'vhangup',
};

/** Before 4.8 a tracer could change a system call after the filter had looked at it. */
const ALLOWED_SINCE_4_8 = 'process_vm_readv process_vm_writev ptrace';

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET. */
const NEW_NAMESPACES = 0x7e020000;

/** Linux, BSD-like execution domains and 32-bit personality, and the query. */
const PERSONALITIES = [0x0, 0x0008, 0x20000, 0x20008, 0xffffffff];

/** For an architecture that is not in the tables, `architectures` is absent: the filter is for the native one alone. */
export function defaultSeccomp(facts: SeccompFacts): SpecSeccomp {
  const namespacesAllowed = facts.capabilities.includes('CAP_SYS_ADMIN');
  return {
    defaultAction: ERRNO,
    defaultErrnoRet: EPERM,
    architectures: ARCHITECTURES[facts.arch],
    syscalls: [
      { names: allowedNames(facts), action: ALLOW },
      ...socketRules(),
      ...PERSONALITIES.map((value) => allowIf('personality', { index: 0, value, op: 'SCMP_CMP_EQ' })),
      ...(namespacesAllowed ? [] : cloneRules()),
    ],
  };
}

function allowedNames({ arch, kernel, capabilities }: SeccompFacts): string[] {
  const lists = [ALLOWED_BY_ARCH[arch], ...capabilities.map((name) => ALLOWED_BY_CAPABILITY[name])];
  if (kernel.major > 4 || (kernel.major === 4 && kernel.minor >= 8)) lists.push(ALLOWED_SINCE_4_8);
  const extra = lists.flatMap((list) => list?.split(' ') ?? []);
  return [...new Set([...ALWAYS_ALLOWED, ...extra])].sort();
}

/** All address families but AF_ALG (38), which has a long history of kernel bugs, and AF_VSOCK (40), which reaches the hypervisor. */
function socketRules(): Rule[] {
  return [
    allowIf('socket', { index: 0, value: 38, op: 'SCMP_CMP_LT' }),
    allowIf('socket', { index: 0, value: 39, op: 'SCMP_CMP_EQ' }),
    allowIf('socket', { index: 0, value: 40, op: 'SCMP_CMP_GT' }),
  ];
}

/**
 * No new namespaces. The flags of clone3 are in memory, where a filter cannot look: ENOSYS makes every C library fall
 * back to clone.
 */
function cloneRules(): Rule[] {
  return [
    allowIf('clone', { index: 0, value: NEW_NAMESPACES, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }),
    { names: ['clone3'], action: ERRNO, errnoRet: ENOSYS },
  ];
}

function allowIf(name: string, condition: SpecSeccompArg): Rule {
  return { names: [name], action: ALLOW, args: [condition] };
}
