/** Where a container of tsrun is otherwise than one of Docker 20.10 with runc 1.1.5, and why that is right. */
import type { Difference } from './profile.js';

const UNPRIVILEGED = ['default', 'user'];
const ANY = /^/;

export const PROFILE_DIFFERENCES: readonly Difference[] = [
  // ---- system calls: the lists are those of the profile of 2026, Docker 20.10 has that of 2020
  {
    keys: /^syscall (451|452|454|455|456|457|458|462|463|464|465|466)$/,
    only: UNPRIVILEGED,
    docker: /^ENOSYS$/,
    tsrun: /^(EBADF|EINVAL|E2BIG)$/,
    reason:
      'cachestat, fchmodat2, futex_*, statmount, listmount, mseal, *xattrat: of Linux 6.5 and later; current Docker allows them',
  },
  {
    keys: /^syscall (459|460|461)$/,
    only: UNPRIVILEGED,
    docker: /^ENOSYS$/,
    tsrun: /^EPERM$/,
    reason: 'lsm_*: for CAP_SYS_ADMIN only, as in current Docker; 20.10 does not know the names',
  },
  {
    keys: /^syscall set_mempolicy_home_node$/,
    only: UNPRIVILEGED,
    docker: /^ENOSYS$/,
    tsrun: /^EPERM$/,
    reason: 'with CAP_SYS_NICE only, like set_mempolicy; 20.10 does not know the name',
  },
  {
    keys: /^syscall io_uring_(enter|register|setup)$/,
    only: UNPRIVILEGED,
    docker: /^(EINVAL|EFAULT)$/,
    tsrun: /^EPERM$/,
    reason:
      'a way round the filter and the source of many holes: refused by current Docker, containerd and Podman',
  },
  {
    keys: /^syscall (name_to_handle_at|pkey_alloc|pkey_free|pkey_mprotect|process_vm_readv|process_vm_writev)$/,
    only: UNPRIVILEGED,
    docker: /^EPERM$/,
    tsrun: /^EINVAL$/,
    reason: 'harmless without other rights, and programs want them: allowed by current Docker',
  },
  {
    keys: /^syscall personality$/,
    only: UNPRIVILEGED,
    docker: /^EPERM$/,
    tsrun: /^ok$/,
    reason:
      'the kernel takes 32 bits of the argument and so do we: -1 asks what the personality is, and changes nothing',
  },
  {
    keys: /^socket (38|40)$/,
    only: UNPRIVILEGED,
    docker: /^(EAFNOSUPPORT|ENODEV)$/,
    tsrun: /^EPERM$/,
    reason:
      'AF_ALG has a long history of holes, AF_VSOCK reaches the hypervisor: refused since 2026 (AF_ALG) and 2024',
  },

  // ---- cgroups
  {
    keys: /^namespace cgroup$/,
    docker: /^host$/,
    tsrun: /^own$/,
    reason:
      'a private cgroup namespace with cgroup v1, too: the path would name the machine (Docker does so with v2 only)',
  },
  {
    keys: /^cgroup \S+$/,
    docker: /^\/tsrun-dockerd-\S+\/[0-9a-f]{64}$/,
    tsrun: /^\/$/,
    reason: 'what the private cgroup namespace shows',
  },
  {
    keys: /^(mount|path) \/sys\/fs\/cgroup\/unified/,
    docker: /^(\(absent\)|ENOENT)$/,
    tsrun: /^(cgroup2 r[ow],nosuid,nodev,noexec|file fs=63677270 read=full write=(EROFS|EACCES|ok)$)/,
    reason: 'the v2 tree beside the v1 ones is shown as the host has it; only --privileged may write to it',
  },
  {
    keys: /^mount \/sys\/fs\/cgroup$/,
    only: UNPRIVILEGED,
    docker: /^tmpfs rw,/,
    tsrun: /^tmpfs ro,/,
    reason: 'the directory above the hierarchies is read-only, too: there is nothing to be made in it',
  },
  {
    keys: /^path \/sys\/fs\/cgroup$/,
    only: UNPRIVILEGED,
    docker: /^directory fs=1021994 full mkdir=(ok|EACCES)$/,
    tsrun: /^directory fs=1021994 full mkdir=EROFS$/,
    reason: 'the same, tried',
  },

  // ---- mounts
  {
    keys: /^mount \/$/,
    docker: /propagates/,
    tsrun: /private/,
    reason:
      'Docker mounts the root on the host, whose slave it is; here it is made in the container, and has no master',
  },
  {
    keys: /^mount \/(proc\/(acpi|keys|timer_list|interrupts)|sys\/firmware)$/,
    only: UNPRIVILEGED,
    docker: /^(tmpfs rw,nosuid private rw,size=65536k,mode=755|tmpfs ro,relatime private ro|\(absent\))$/,
    tsrun: /^tmpfs ro,nosuid,(nodev,)?noexec,relatime private rw,size=4k,nr_inodes=4,mode=755$/,
    reason:
      "covers are a null device and an empty directory of a tmpfs of our own, without room: not the container's /dev/null (CVE-2025-31133); /proc/interrupts is covered by current Docker, too",
  },
  {
    keys: /^path \/proc\/interrupts$/,
    only: UNPRIVILEGED,
    docker: /^file fs=9fa0 read=full /,
    tsrun: /^file fs=1021994 read=empty write=ok$/,
    reason:
      'it tells what the users of the machine type: covered, as in current Docker. Writing goes to a null device',
  },
  {
    keys: /^mount \/sys$/,
    only: UNPRIVILEGED,
    docker: /^sysfs ro,nosuid,nodev,noexec,relatime private ro$/,
    tsrun: /^sysfs ro,nosuid,nodev,noexec,relatime private rw$/,
    reason:
      'the mount is read-only; runc makes the file system behind it so, too, by mount(2), which cannot tell them apart',
  },
  {
    keys: /^path \/sys\/(power\/state|kernel\/mm\/ksm\/run)$/,
    only: ['user'],
    docker: /write=EROFS$/,
    tsrun: /write=EACCES$/,
    reason: 'the same: the mode of the file is looked at before the mount, and after the file system',
  },

  // ---- the process
  {
    keys: /^process death-signal$/,
    docker: /^0$/,
    tsrun: /^9$/,
    reason: 'no container outlives its monitor (design: no daemon, no lost container)',
  },
  {
    keys: /^rlimit nofile$/,
    docker: ANY,
    tsrun: /^1024:\d+$/,
    reason:
      'a soft limit of 1024, as programs that use select() need it; Docker passes on what the daemon has',
  },
  {
    keys: /^status Cap(Bnd|Eff|Prm)$/,
    only: ['privileged'],
    docker: /^0000003f/,
    tsrun: /^000001ff/,
    reason:
      'CAP_PERFMON, CAP_BPF and CAP_CHECKPOINT_RESTORE are of Linux 5.8 and 5.9; 20.10 does not know them',
  },
  {
    keys: /^keyring session$/,
    only: ['privileged'],
    docker: /^ok keyring;0;0;3f1b0000;_ses\./,
    tsrun: /^ok keyring;0;0;3f000000;_ses\./,
    reason: 'no rights on the session keyring for others of the same uid',
  },
];
