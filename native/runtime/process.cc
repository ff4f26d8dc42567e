#include "runtime/process.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/keyctl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <iterator>

#include "base/failure.h"
#include "runtime/console.h"
#include "runtime/inroot.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

void closeRange(unsigned first, unsigned last, Report& report) {
  if (first <= last && syscall(SYS_close_range, first, last, 0) < 0) report.die("close_range");
}

/// Closes everything from 3 up but what the program keeps and a few close-on-exec fds that are needed until
/// execve. Before the filter is loaded: a profile may not allow close_range.
void closeOthers(const ChildFds& fds, Report& report) {
  report.step(step::kFds);
  int needed[] = {fds.sync, report.fd(), fds.gate, fds.started};
  std::sort(std::begin(needed), std::end(needed));
  unsigned next = 3 + fds.preserved;
  for (const int fd : needed) {
    if (fd < 0) continue;
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) report.die("fds");
    closeRange(next, static_cast<unsigned>(fd) - 1, report);
    next = std::max(next, static_cast<unsigned>(fd) + 1);
  }
  closeRange(next, ~0u, report);
}

/// PR_SET_PDEATHSIG is forgotten at every change of credentials, so it is set after the last one; a monitor
/// that died before that is seen by its socket.
void dieWithMonitor(int sync, Report& report) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) report.die("parent death signal");
  pollfd other = {sync, POLLIN, 0};
  timespec now{};
  if (ppoll(&other, 1, &now, nullptr) > 0 && (other.revents & (POLLHUP | POLLERR)) != 0) _exit(1);
}

/// False and errno.
bool writeOomScore(int file, const char* text) {
  const auto length = static_cast<ssize_t>(std::strlen(text));
  if (write(file, text, static_cast<std::size_t>(length)) == length) return true;
  const int error = errno;
  // Lowering it needs CAP_SYS_RESOURCE; what it has already need not be set.
  char current[16] = "";
  if (pread(file, current, sizeof current - 1, 0) == length + 1 &&
      std::memcmp(current, text, static_cast<std::size_t>(length)) == 0)
    return true;
  errno = error;
  return false;
}

}  // namespace

void setOomScoreOf(pid_t pid, int score) {
  const std::string path = "/proc/" + std::to_string(pid) + "/oom_score_adj", text = std::to_string(score);
  UniqueFd file(check(open(path.c_str(), O_RDWR | O_CLOEXEC), step::kOom, path));
  if (writeOomScore(file.get(), text.c_str())) return;
  const int error = errno;
  throw Failure(step::kOom, error, "oom_score_adj", text);
}

ProcessSetup::ProcessSetup(const Spec& spec, const Launch& launch)
    : cwd_(spec.process.cwd),
      keyring_("_ses." + launch.id),
      createCwd_(launch.createCwd),
      ownKeyring_(launch.bundle.ownKeyring),
      noNewPrivileges_(spec.process.noNewPrivileges),
      umask_(spec.process.umask),
      oomScoreAdj_(spec.process.oomScoreAdj),
      user_(spec.process, launch),
      rlimits_(spec.process.rlimits),
      scheduling_(spec),
      confinement_(spec.process),
      capabilities_(spec.process),
      program_(spec.process),
      startHooks_("startContainer", launch.bundle.startContainer, launch.bundle.hookState) {
  if (spec.seccomp) seccomp_ = SeccompFilter(*spec.seccomp);
}

void ProcessSetup::ensureCwd(int root, Report& report) const {
  if (!createCwd_) return;
  report.step(step::kCwd);
  Ensured found = ensureInRoot(root, cwd_.c_str(), Kind::directory);
  struct stat info;
  if (!found.fd || fstat(found.fd.get(), &info) < 0) report.die(cwd_.c_str());
  if (!S_ISDIR(info.st_mode)) report.die(ENOTDIR, cwd_.c_str());
}

/// False if root may not enter it (a network file system): then it is tried again as the final user.
bool ProcessSetup::changeToCwd(int root, Report& report) const {
  report.step(step::kCwd);
  // Opened inside the root and without magic links: /proc/self/fd/N would lead out of it (CVE-2024-21626).
  UniqueFd directory(openInRoot(root, cwd_.c_str(), O_PATH | O_DIRECTORY));
  if (directory && fchdir(directory.get()) == 0) return true;
  if (errno != EACCES && errno != EPERM) report.die(cwd_.c_str());
  return false;
}

void ProcessSetup::checkCwd(Report& report) const {
  char path[PATH_MAX];
  // By the raw call: glibc's getcwd hides the "(unreachable)" that the kernel puts before a path outside of
  // the root.
  if (syscall(SYS_getcwd, path, sizeof path) < 0) report.die(cwd_.c_str());
  if (path[0] != '/') report.die(EXDEV, cwd_.c_str(), "the working directory is outside of the container");
}

void ProcessSetup::setOomScore(int proc, Report& report) const {
  if (!oomScoreAdj_ || inUser_) return;
  report.step(step::kOom);
  UniqueFd file(openat(proc, "self/oom_score_adj", O_RDWR | O_CLOEXEC));
  char text[16];
  std::snprintf(text, sizeof text, "%d", *oomScoreAdj_);
  if (!writeOomScore(file.get(), text)) report.die("oom_score_adj", text);
}

void ProcessSetup::joinKeyring(Report& report) const {
  if (!ownKeyring_) return;
  report.step(step::kKeyring);
  // The caller's session keyring holds the caller's secrets.
  const long ring = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, keyring_.c_str());
  if (ring < 0 && errno == ENOSYS) return;  // a kernel without keyrings
  if (ring < 0) report.die(keyring_.c_str());
  constexpr unsigned kPossessorAll = 0x3f000000;  // and nothing for others of the same uid
  if (syscall(SYS_keyctl, KEYCTL_SETPERM, ring, kPossessorAll) < 0) report.die(keyring_.c_str());
}

void ProcessSetup::becomeUser(const Identity& identity, Report& report) const {
  capabilities_.limit(report);
  if (identity.uid != 0) capabilities_.keepAcrossSetuid(report);
  User::become(identity, inUser_, report);
  capabilities_.apply(identity.uid, report);
}

/// An OCI runtime's `create` ends here, and its `start` opens the gate. By read and write alone, which every
/// filter that lets a program run allows.
void ProcessSetup::waitAtGate(const ChildFds& fds, Report& report) const {
  report.step(step::kGate);
  char byte = kReady;
  if (write(fds.sync, &byte, 1) != 1 || read(fds.sync, &byte, 1) != 1) _exit(1);  // it was given up
  close(fds.sync);
  report.close();
  report = Report(fds.started);
  ssize_t got;
  do got = read(fds.gate, &byte, 1);
  while (got < 0 && errno == EINTR);
  if (got != 1) report.die("gate");
  close(fds.gate);
  startHooks_.run(getpid(), report);
}

void ProcessSetup::enter(UniqueFd root, UniqueFd proc, const ChildFds& fds, Report& report) {
  const Identity identity = user_.find(root.get(), proc.get(), report);
  program_.setHome(identity.home);
  giveStdio(identity.uid, inUser_, report);
  const bool inCwd = changeToCwd(root.get(), report);
  setOomScore(proc.get(), report);
  joinKeyring(report);
  rlimits_.apply(report);
  scheduling_.apply(report);
  confinement_.apply(proc.get(), report);
  umask(umask_);
  proc.reset();
  root.reset();
  closeOthers(fds, report);
  if (noNewPrivileges_) {
    report.step(step::kCaps);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) report.die("no_new_privs");
    becomeUser(identity, report);
    seccomp_.load(fds.sync, report);
  } else {
    // Without no_new_privs the filter needs CAP_SYS_ADMIN, which is about to go: it must allow what follows.
    seccomp_.load(fds.sync, report);
    becomeUser(identity, report);
  }
  if (!inCwd) {
    root.reset(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!root || !changeToCwd(root.get(), report)) report.die(cwd_.c_str());
  }
  checkCwd(report);
  if (fds.orphan) {
    if (prctl(PR_SET_PDEATHSIG, 0) < 0) report.die("parent death signal");
    program_.find(report);
    if (fds.gate >= 0) waitAtGate(fds, report);
  } else {
    dieWithMonitor(fds.sync, report);
  }
  program_.run(report);
}

}  // namespace tsrun
