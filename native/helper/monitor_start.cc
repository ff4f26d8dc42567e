#include <fcntl.h>
#include <linux/sched.h>
#include <malloc.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "helper/monitor.h"
#include "helper/process.h"
#include "runtime/boot.h"
#include "runtime/file.h"
#include "runtime/init.h"
#include "runtime/join.h"
#include "runtime/lock.h"
#include "runtime/remove.h"
#include "runtime/steps.h"

namespace tsrun {

void Monitor::takeLock() {
  report_.step(step::kHelperLock);
  const std::string path = dir_ + "/lock";
  lock_ = UniqueFd(
      check(open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600), step::kHelperLock, path));
  if (!lockByte(lock_.get(), kMonitorByte, false)) {
    throw Failure(step::kHelperLock, EBUSY, dir_, "the container is already running");
  }
}

/// Before another run: nothing of the last one is left.
void Monitor::forgetRun() {
  childReportWatch_.reset();
  syncWatch_.reset();
  childReport_.reset();
  sync_.reset();
  log_.reset();
  pid_ = 0;
  reportLine_.clear();
  childStep_.clear();
  execAt_.clear();
  startedAt_.clear();
  failure_.reset();
  status_.reset();
  paused_ = frozen_ = released_ = false;
  holds_ = 0;
  runningSince_ = endedAt_ = drainUntil_ = 0;
  afterExit_ = 0;
}

/// Everything up to `go`, in order. What throws here is undone by conclude().
void Monitor::start() {
  report_.step(step::kHelperConfig);
  readDocuments();
  for (const char* ofLastRun : {"/stopped", "/health"}) removeFile(dir_ + ofLastRun, step::kRecord);
  report_.step(step::kLedger);
  ledger_.emplace(dir_);
  reuseUpper();
  report_.step(step::kLog);
  log_.emplace(dir_, launch_.log);
  if (!loop_) openSocket();
  stdio_.emplace(launch_, spec_.process.terminal);
  report_.step(step::kCgroupCreate);
  cgroup_.emplace(Cgroup::create(spec_, *ledger_));
  report_.step(step::kClone);
  cloneChild();
  admitChild();
}

void Monitor::readDocuments() {
  launch_ = readLaunch(dir_ + "/launch.json");
  launchKnown_ = true;
  spec_ = readSpec(dir_ + "/config.json");
  if (launch_.init) addInit(spec_, init_);
  prepared_ = PreparedChild::prepare(spec_, launch_, dir_);
}

/// A container of --rm that was kept (Monitor::keep). The kernel refuses an upper directory that was mounted
/// "volatile" before, since after a crash of the machine parts of it may be missing. In the boot that saw it
/// unmounted nothing is.
void Monitor::reuseUpper() {
  const std::string path = dir_ + "/kept";
  if (!launch_.overlay || !launch_.overlay->isVolatile || access(path.c_str(), F_OK) != 0) return;
  if (readFile(path, step::kRecord) == bootId()) removeTree(launch_.overlay->work + "/work/incompat");
  removeFile(path, step::kRecord);
}

void Monitor::openSocket() {
  const std::string path = dir_ + "/sock";
  if (unlink(path.c_str()) != 0 && errno != ENOENT) fail(step::kSocket, path);
  listener_ =
      UniqueFd(check(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), step::kSocket, path));
  // Before bind, which takes the mode of the new file from here: there is no moment in which others could
  // connect.
  check(fchmod(listener_.get(), 0600), step::kSocket, path);
  UniqueFd directory(check(open(dir_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC), step::kSocket, dir_));
  // The path may be longer than sun_path takes.
  const std::string reached = "/proc/self/fd/" + std::to_string(directory.get()) + "/sock";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, reached.c_str(), reached.size() + 1);
  check(bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), step::kSocket,
        path);
  check(listen(listener_.get(), 64), step::kSocket, path);
}

void Monitor::cloneChild() {
  int report[2], sync[2];
  // The child reports to the monitor, which passes it on: so the monitor knows by the same records whether
  // the program runs, and has written `state` before the starter sees the end of them.
  check(pipe2(report, O_CLOEXEC), step::kClone, "pipe");
  childReport_ = UniqueFd(report[0]);
  childReportEnd_ = UniqueFd(report[1]);
  check(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sync), step::kClone, "socketpair");
  sync_ = UniqueFd(sync[0]);
  childSync_ = UniqueFd(sync[1]);

  ChildFds fds = stdio_->childFds();
  fds.sync = childSync_.get();
  int pidfd = -1;
  ownPids_ = (prepared_->cloneFlags() & CLONE_NEWPID) != 0;
  pid_ = prepared_->clone(fds, cgroup_->v2Fd(), &pidfd);
  if (pid_ == 0) {
    // The lock before all else: as long as a copy of its fd is open the container counts as running.
    for (const UniqueFd* fd : {&lock_, &listener_, &attachFd_, &reportFd_, &childReport_, &sync_}) {
      if (*fd) close(fd->get());
    }
    if (log_->fd() >= 0) close(log_->fd());
    stdio_->closeParentEndsInChild();
    resetSignals();
    Report report(childReportEnd_.get());
    prepared_->run(fds, report);
  }
  pidfd_ = UniqueFd(pidfd);
  childReportEnd_.reset();
  childSync_.reset();
  stdio_->closeChildEnds();
}

/// What must be done to the child from outside before it may go on.
void Monitor::admitChild() {
  report_.pid(pid_);
  report_.step(step::kCgroupJoin);
  cgroup_->add(pid_);
  prepared_->admit(pid_);
  report_.step(step::kNetworkVeth);
  lease_ = connectNetwork(launch_, pid_, *ledger_);
  report_.step(step::kNetworkHosts);
  writeHosts(dir_ + "/hosts", launch_, lease_);
  const char go = 1;
  check(send(sync_.get(), &go, 1, MSG_NOSIGNAL), step::kWaitGo, launch_.id);

  listenerOf_.reset();
  if (spec_.seccomp && !spec_.seccomp->listenerPath.empty())
    listenerOf_ = listenerOf(spec_, {launch_.id, "creating", pid_, dir_, {}});
  // A monitor waits for months: the documents, the plan and the heap they were made in go now.
  prepared_.reset();
  spec_ = Spec();
  malloc_trim(0);
}

}  // namespace tsrun
