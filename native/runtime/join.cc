#include "runtime/join.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "base/failure.h"
#include "runtime/console.h"
#include "runtime/entry.h"
#include "runtime/idmap.h"
#include "runtime/lock.h"
#include "runtime/namespaces.h"
#include "runtime/procfs.h"
#include "runtime/records.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

struct Kind {
  const char* name;
  int flag;
};
constexpr Kind kKinds[] = {{"pid", CLONE_NEWPID},   {"net", CLONE_NEWNET},  {"mnt", CLONE_NEWNS},
                           {"ipc", CLONE_NEWIPC},   {"uts", CLONE_NEWUTS},  {"cgroup", CLONE_NEWCGROUP},
                           {"user", CLONE_NEWUSER}, {"time", CLONE_NEWTIME}};

bool isMonitorAlive(const std::string& dir) {
  const std::string path = dir + "/lock";
  UniqueFd lock(open(path.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
  if (!lock && errno == ENOENT) return false;
  if (!lock) fail(step::kJoin, path);
  return isByteHeld(lock.get(), kMonitorByte);
}

std::string readProc(pid_t pid, const char* name) {
  const std::string path = "/proc/" + std::to_string(pid) + "/" + name;
  UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  char data[4096];
  for (ssize_t got; file && (got = read(file.get(), data, sizeof data)) > 0;)
    text.append(data, static_cast<std::size_t>(got));
  return text;
}

/// The path holds the whole id, so nobody else's process has it.
bool isInCgroup(pid_t pid, const std::string& path) {
  return !path.empty() && readProc(pid, "cgroup").find(path) != std::string::npos;
}

bool hasEnded(int pidfd) {
  pollfd ended{pidfd, POLLIN, 0};
  return poll(&ended, 1, 0) != 0;
}

bool isShared(pid_t pid, const char* name) {
  const std::string rest = std::string("/ns/") + name;
  struct stat mine, theirs;
  if (stat(("/proc/self" + rest).c_str(), &mine) < 0 && errno == ENOENT) return true;  // this kernel has none
  check(stat(("/proc/self" + rest).c_str(), &mine), step::kJoin, name);
  check(stat(("/proc/" + std::to_string(pid) + rest).c_str(), &theirs), step::kJoin, name);
  return mine.st_dev == theirs.st_dev && mine.st_ino == theirs.st_ino;
}

}  // namespace

Failure notRunning(const std::string& dir) {
  return Failure(step::kJoin, ESRCH, dir.substr(dir.rfind('/') + 1), "the container is not running");
}

RunningContainer::RunningContainer(const std::string& dir, const Spec& spec)
    : dir_(dir), pid_(pidOfState(dir)) {
  if (!isMonitorAlive(dir)) throw notRunning(dir);
  const pid_t pid = pid_;
  if (pid <= 0) throw notRunning(dir);
  pidfd_ = UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd_ && errno == ESRCH) throw notRunning(dir);
  if (!pidfd_) fail(step::kJoin, "pidfd");
  // What is looked up by the number from here on is looked up of this process: it was ours, and it is alive
  // afterwards.
  if (!isInCgroup(pid, spec.cgroupsPath)) throw notRunning(dir);
  look();
  if (!isMonitorAlive(dir)) throw notRunning(dir);
}

RunningContainer::RunningContainer(const std::string& name, pid_t pid, UniqueFd pidfd)
    : dir_(name), pid_(pid), pidfd_(std::move(pidfd)) {
  look();
}

void RunningContainer::look() {
  for (const Kind& kind : kKinds)
    if (!isShared(pid_, kind.name)) namespaces_ |= kind.flag;
  if (hasEnded(pidfd_.get())) throw notRunning(dir_);
  if ((namespaces_ & CLONE_NEWNS) == 0)
    throw Failure(step::kJoin, EINVAL, "mnt", "the container has no mount namespace of its own");
}

UniqueFd RunningContainer::openNamespace(const char* name) const {
  const std::string path = "/proc/" + std::to_string(pid_) + "/ns/" + name;
  UniqueFd result(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const int error = errno;
  // Not reaped before that: the number was still its own when the file was opened.
  if (hasEnded(pidfd_.get())) throw notRunning(dir_);
  if (!result) throw Failure(step::kJoin, error, path);
  return result;
}

Joiner::Joiner(const RunningContainer& container, const Spec& spec, const Launch& launch)
    : pidfd_(container.pidfd()),
      namespaces_(container.namespaces()),
      terminal_(spec.process.terminal),
      consoleSize_(launch.consoleSize),
      rootUid_(hostIdOf(spec.uidMappings, 0)),
      oomScoreAdj_(spec.process.oomScoreAdj),
      initialCpus_(spec.process.initialCpus),
      finalCpus_(spec.process.finalCpus),
      process_(spec, launch) {
  if (inUser()) process_.enterUserNamespace();
}

void Joiner::givePipes(const ChildFds& fds) const {
  if (inUser() && rootUid_) tsrun::givePipes(fds, *rootUid_);
}

void Joiner::admit(pid_t pid) const {
  if (inUser() && oomScoreAdj_) setOomScoreOf(pid, *oomScoreAdj_);
}

void Joiner::run(const ChildFds& fds, Report& report) {
  resetChildSignals();
  // Before anything of the container's can see us: its processes may not trace us, nor open what we have open
  // (CVE-2016-9962). Until execve, which makes the program's own state.
  if (prctl(PR_SET_DUMPABLE, 0) < 0) report.die("dumpable");
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) report.die("parent death signal");
  initialCpus_.apply(report);
  waitForGo(fds.sync, report);
  report.step(step::kJoin);
  // All at once: the kernel switches to every one of them or to none. This process itself stays in the pid
  // namespace it was born in, so the container does not see it.
  if (setns(pidfd_, namespaces_) < 0) report.die("setns");
  close(pidfd_);
  if (inUser()) becomeRootOfNamespace(report);
  clone_args args{};
  // The session's child and not ours, so that its end is told there.
  args.flags = CLONE_PARENT;
  const pid_t pid = static_cast<pid_t>(syscall(SYS_clone3, &args, sizeof args));
  if (pid < 0) report.die("clone");
  if (pid == 0) runInside(fds, report);
  if (send(fds.sync, &pid, sizeof pid, MSG_NOSIGNAL) < 0) report.die("sync socket");
  _exit(0);
}

void Joiner::runInside(const ChildFds& fds, Report& report) {
  waitForGo(fds.sync, report);
  report.step(step::kJoin);
  UniqueFd root(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) report.die("/");
  UniqueFd proc = openOwnProc(-1, report);
  setUpStdio(fds, terminal_, consoleSize_, root.get(), Console::none, report);
  finalCpus_.apply(report);
  process_.enter(std::move(root), std::move(proc), fds, report);
}

}  // namespace tsrun
