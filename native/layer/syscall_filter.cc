#include "layer/syscall_filter.h"

#include <sched.h>
#include <seccomp.h>

#include <memory>

#include "base/failure.h"
#include "layer/layer_steps.h"

namespace tsrun {
namespace {

constexpr int kAllowed[] = {
    // bytes
    SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(pread64), SCMP_SYS(pwrite64), SCMP_SYS(lseek),
    SCMP_SYS(ftruncate), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(fcntl), SCMP_SYS(close),
    // files
    SCMP_SYS(openat), SCMP_SYS(openat2), SCMP_SYS(fstat), SCMP_SYS(fstatfs), SCMP_SYS(newfstatat),
    SCMP_SYS(statx), SCMP_SYS(readlinkat), SCMP_SYS(getdents64), SCMP_SYS(mkdirat), SCMP_SYS(mknodat),
    SCMP_SYS(symlinkat), SCMP_SYS(linkat), SCMP_SYS(unlinkat), SCMP_SYS(fchown), SCMP_SYS(fchownat),
    SCMP_SYS(fchmod), SCMP_SYS(fchmodat), SCMP_SYS(utimensat), SCMP_SYS(fchdir),
    // attributes
    SCMP_SYS(fgetxattr), SCMP_SYS(fsetxattr), SCMP_SYS(flistxattr), SCMP_SYS(fremovexattr),
    SCMP_SYS(lgetxattr), SCMP_SYS(lsetxattr), SCMP_SYS(llistxattr), SCMP_SYS(capget), SCMP_SYS(capset),
    // the C library
    SCMP_SYS(brk), SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(mprotect), SCMP_SYS(madvise),
    SCMP_SYS(futex), SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigreturn), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(tgkill),
    SCMP_SYS(sched_yield), SCMP_SYS(restart_syscall), SCMP_SYS(exit), SCMP_SYS(exit_group)};

void check0(int negativeErrno, const char* what) {
  if (negativeErrno < 0) throw Failure(step::kLayerJail, -negativeErrno, what);
}

}  // namespace

void installSyscallFilter() {
#if defined(__SANITIZE_ADDRESS__)
  // The sanitizers' own runtime needs calls that the product must not have. That build is for tests only.
  return;
#endif
  const std::unique_ptr<void, void (*)(void*)> filter(seccomp_init(SCMP_ACT_ERRNO(EPERM)), seccomp_release);
  if (!filter) throw Failure(step::kLayerJail, ENOMEM, "seccomp");
  for (const int call : kAllowed) check0(seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 0), "seccomp");
  // Threads only. The arguments of clone3 cannot be seen by a filter: the C library falls back when it is
  // "unknown".
  check0(seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                          SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD)),
         "seccomp");
  check0(seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0), "seccomp");
  check0(seccomp_load(filter.get()), "seccomp");
}

}  // namespace tsrun
