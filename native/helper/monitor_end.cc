#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "helper/conclude.h"
#include "helper/monitor.h"
#include "runtime/clock.h"
#include "runtime/file.h"
#include "runtime/lock.h"
#include "runtime/records.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

/// How often a monitor that wants to remove its container asks whether the operation on it is over.
constexpr int kRetryMs = 50;

int codeOf(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

/// A start that failed before there was a loop: nothing of the child may be left.
void Monitor::killChild() {
  if (!pidfd_) return;
  signal(SIGKILL);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) continue;
  pidfd_.reset();
}

/// Asked while the cgroup is there. If somebody else took it away, how the program ended is still to be
/// recorded.
bool Monitor::wasOomKilled() const {
  try {
    return cgroup_ && cgroup_->oomKilled();
  } catch (const Failure&) {
    return false;
  }
}

/// Writes how it ended, gives back what the ledger names, and lets go of the container.
void Monitor::conclude() {
  if (log_) log_->finish();
  exitCode_ = failure_ ? exitCodeOf(*failure_) : codeOf(*status_);
  ExitRecord exit;
  exit.exitCode = exitCode_;
  exit.startedAt = startedAt_;
  exit.finishedAt = rfc3339Now();
  exit.error = failure_;
  const bool removes = launchKnown_ && launch_.autoRemove;
  try {
    exit.oomKilled = wasOomKilled();
    writeExit(dir_, exit, !removes);
    // Nobody can connect any more, and who does finds the exit record.
    attach_->closeListener();
    listener_.reset();
    removeFile(dir_ + "/sock", step::kRecord);
    ledger_.reset();
    Ledger::releaseAll(dir_);
    lease_.reset();
    removeFile(dir_ + "/state", step::kRecord);
    if (removes) removeSelf();
  } catch (const Failure& failure) {
    // What is left stands in the ledger: the next command recovers it, and says so if it cannot either.
    report_.failed(failure);
  }
  lock_.reset();
}

/// --rm. In a start that failed the starter holds the operation byte for us; otherwise whoever still works on
/// the container (a commit) is let finish, and until then it counts as exited.
void Monitor::removeSelf() {
  if (!failure_ && !lockByte(lock_.get(), kOperationByte, false)) {
    unlockByte(lock_.get(), kMonitorByte);
    attach_->sendExit(static_cast<std::uint32_t>(exitCode_), true);
    while (!lockByte(lock_.get(), kOperationByte, false)) round(kRetryMs);
    // Somebody who started it again in between has a monitor of his own.
    if (isByteHeld(lock_.get(), kMonitorByte)) return;
  }
  removeContainer(dir_, launch_);
}

/// The clients hear of the end last, when nothing of the container is left; then, so that it is true for the
/// starter of a failed start as well, the report ends.
void Monitor::farewell() {
  report_ = Report(-1);
  reportFd_.reset();
  attach_->sendExit(static_cast<std::uint32_t>(exitCode_), false);
  for (;;) {
    attach_->update();
    if (attach_->drained()) break;
    loop_->wait(-1);
  }
  attach_->update();
}

}  // namespace tsrun
