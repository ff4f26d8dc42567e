#include "helper/process.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "base/failure.h"
#include "runtime/steps.h"

namespace tsrun {

void resetSignals() {
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) sigaction(signal, &standard, nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

void blockSignals() {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, nullptr);
}

void sealFds() {
  for (int fd = 0; fd <= 2; ++fd) {
    // The lowest free number is given out, so each gap is filled in turn.
    if (fcntl(fd, F_GETFD) < 0) check(open("/dev/null", O_RDWR), step::kHelperProtect, "/dev/null");
  }
  check(close_range(3, ~0U, CLOSE_RANGE_CLOEXEC), step::kHelperProtect, "close_range");
}

void keepFds(std::initializer_list<int> fds) {
  for (const int fd : fds) {
    if (fd >= 3) check(fcntl(fd, F_SETFD, 0), step::kHelperProtect, "fd " + std::to_string(fd));
  }
}

void releaseStdio() {
  const int null = check(open("/dev/null", O_RDWR | O_CLOEXEC), step::kHelperProtect, "/dev/null");
  for (int fd = 0; fd <= 2; ++fd) dup2(null, fd);
  close(null);
}

void detach() {
  const pid_t pid = check(fork(), step::kHelperProtect, "fork");
  if (pid != 0) _exit(0);
  setsid();
}

void setTitle(char** argv, const char* name, const std::string& title) {
  prctl(PR_SET_NAME, name);
  char* begin = argv[0];
  char* end = begin;
  // The arguments lie one behind the other; their memory is what /proc/<pid>/cmdline shows.
  for (int i = 0; argv[i] != nullptr && argv[i] == end; ++i) end += std::strlen(argv[i]) + 1;
  const std::size_t room = static_cast<std::size_t>(end - begin);
  if (room < 3) return;
  const std::size_t length = std::min(title.size(), room - 2);
  std::memset(begin, 0, room);
  std::memcpy(begin, title.data(), length);
  // A last byte that is not NUL tells the kernel that this is one title, ending at its first NUL, and no
  // list.
  end[-1] = '.';
}

pid_t cloneProcess(unsigned long long flags, int cgroup, int* pidfd) {
  clone_args args{};
  args.flags = flags | CLONE_PIDFD;
  args.pidfd = reinterpret_cast<std::uint64_t>(pidfd);
  args.exit_signal = SIGCHLD;
  if (cgroup >= 0) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = static_cast<std::uint64_t>(cgroup);
  }
  return static_cast<pid_t>(syscall(SYS_clone3, &args, sizeof args));
}

}  // namespace tsrun
