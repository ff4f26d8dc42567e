#include "helper/probe.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "base/failure.h"
#include "helper/process.h"
#include "runtime/steps.h"

namespace tsrun {

Probe Probe::start(const std::string& dir, int lock) {
  int report[2];
  check(pipe2(report, O_CLOEXEC), step::kClone, "pipe");
  Probe probe;
  probe.report = UniqueFd(report[0]);
  const UniqueFd writer(report[1]);
  // The reader alone: what the probe says must not be cut short by a full pipe.
  fcntl(report[0], F_SETFL, O_NONBLOCK);
  const std::string number = std::to_string(report[1]);
  const char* argv[] = {"tsrun-runtime", "engine",   "probe",        "--dir",
                        dir.c_str(),     "--report", number.c_str(), nullptr};
  int pidfd = -1;
  const pid_t pid = check(cloneProcess(0, -1, &pidfd), step::kClone, "probe");
  if (pid == 0) {
    // The lock before all else: as long as a copy of its fd is open the container counts as running.
    close(lock);
    fcntl(report[1], F_SETFD, 0);
    // What we are ourselves: the protected executable, which cannot be reached from inside (CVE-2019-5736).
    execv("/proc/self/exe", const_cast<char**>(argv));
    _exit(1);
  }
  probe.pidfd = UniqueFd(pidfd);
  return probe;
}

void Probe::cancel() const {
  syscall(SYS_pidfd_send_signal, pidfd.get(), SIGTERM, nullptr, 0);
}

bool hasEnded(const UniqueFd& pidfd) {
  pollfd ended{pidfd.get(), POLLIN, 0};
  return poll(&ended, 1, 0) != 0;
}

}  // namespace tsrun
