#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "helper/conclude.h"
#include "helper/journal.h"
#include "helper/monitor.h"
#include "runtime/boot.h"
#include "runtime/clock.h"
#include "runtime/file.h"
#include "runtime/lock.h"
#include "runtime/records.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

/// How often a monitor that wants to remove its container asks whether the operation on it is over.
constexpr int kRetryMs = 50;

}  // namespace

/// A start that failed before there was a loop: nothing of the child may be left.
void Monitor::killChild() {
  if (!pidfd_) return;
  deliver(SIGKILL);
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

/// Writes how the run ended and gives back what the ledger names. Then waits, if the restart policy wants
/// another run: true if it is to begin now.
bool Monitor::conclude() {
  endStart();
  health_.reset();
  if (log_) log_->finish();
  exitCode_ = failure_ ? exitCodeOf(*failure_) : exitCodeOf(*status_);
  pidfd_.reset();
  // What clients have asked for until now is heard before that is decided.
  attach_->update();
  loop_->wait(0);
  try {
    recordEnd();
    const auto delay = restartDelay();
    release(delay.has_value());
    return delay && awaitRestart(*delay);
  } catch (const Failure& failure) {
    // What is left stands in the ledger: the next command recovers it, and says so if it cannot either.
    report_.failed(failure);
    return false;
  }
}

void Monitor::recordEnd() {
  ExitRecord exit;
  exit.exitCode = exitCode_;
  exit.startedAt = startedAt_;
  exit.finishedAt = rfc3339Now();
  exit.oomKilled = wasOomKilled();
  exit.restartCount = backoff_.count();
  exit.error = failure_;
  writeExit(dir_, exit, !(launchKnown_ && launch_.autoRemove));
  if (startedAt_.empty()) return;
  if (exit.oomKilled) Journal::record(dir_, launch_, "oom");
  Journal::record(dir_, launch_, "die",
                  {{"exitCode", std::to_string(exitCode_)},
                   {"execDuration", std::to_string((endedAt_ - runningSince_) / 1000)}});
  if (stopped_) Journal::record(dir_, launch_, "stop");
}

/// A start that fails is not tried again: it would fail again, and nobody would hear why.
std::optional<int> Monitor::restartDelay() {
  if (ends_ || failure_) return std::nullopt;
  // As it is now: `update --restart` may have changed it.
  launch_.restart = readLaunch(dir_ + "/launch.json").restart;
  return backoff_.next(launch_.restart, exitCode_, endedAt_ - runningSince_);
}

/// The kernel's objects, all of them also between two runs; and who listened, unless another run follows.
void Monitor::release(bool restarts) {
  if (restarts) {
    // Before the ledger: who finds its entries gone must find that it is not running either.
    StateRecord state;
    state.phase = "restarting";
    state.startedAt = startedAt_;
    state.restartCount = backoff_.count();
    writeState(dir_, state);
  } else {
    closeSocket();
  }
  cgroup_.reset();
  ledger_.reset();
  Ledger::releaseAll(dir_);
  lease_.reset();
  released_ = true;
}

/// Nobody can connect any more, and who does finds the exit record.
void Monitor::closeSocket() {
  attach_->closeListener();
  listener_.reset();
  removeFile(dir_ + "/sock", step::kRecord);
}

/// Between two runs. Who was attached to the last one hears of its end; who comes now can stop the container,
/// or wait for the end of the next. Then whoever operates on the container is let finish: a `cp` may still be
/// in the mounts of the last run, and its writable part must not be mounted twice. False if nothing is to be
/// started.
bool Monitor::awaitRestart(int delay) {
  stdio_.reset();
  attach_->sendExit(static_cast<std::uint32_t>(exitCode_), false);
  const long long until = monotonicMs() + delay;
  for (long long left = delay; left > 0 && !ends_; left = until - monotonicMs()) {
    attach_->update();
    loop_->wait(static_cast<int>(left));
  }
  while (!ends_ && !lockByte(lock_.get(), kOperationByte, false)) {
    attach_->update();
    loop_->wait(kRetryMs);
  }
  attach_->update();
  if (!ends_) return true;
  if (stopped_) Journal::record(dir_, launch_, "stop");
  closeSocket();
  return false;
}

/// Of a container that stands still; it counts as running until its lock is free.
void Monitor::letGo() {
  try {
    if (released_) {
      removeFile(dir_ + "/state", step::kRecord);
      if (launchKnown_ && launch_.autoRemove) keeps_ ? keep() : removeSelf();
    }
  } catch (const Failure& failure) {
    report_.failed(failure);
  }
  lock_.reset();
}

/// --rm, but the user starts it again. Its files were never synced, so they can be trusted in this boot only.
void Monitor::keep() {
  replaceFile(dir_, "kept", bootId(), false, step::kRecord);
}

/// --rm. In a start that failed the starter holds the operation byte for us; otherwise whoever still works on
/// the container (a commit) is let finish, and until then it counts as exited.
void Monitor::removeSelf() {
  const bool starterHolds = failure_ && backoff_.count() == 0;
  if (!starterHolds && !lockByte(lock_.get(), kOperationByte, false)) {
    unlockByte(lock_.get(), kMonitorByte);
    attach_->sendExit(static_cast<std::uint32_t>(exitCode_), true);
    while (!lockByte(lock_.get(), kOperationByte, false)) round(kRetryMs);
    // Somebody who started it again in between has a monitor of his own.
    if (isByteHeld(lock_.get(), kMonitorByte)) return;
  }
  // As it is called now: its old name may be another's.
  launch_ = readLaunch(dir_ + "/launch.json");
  removeContainer(dir_, launch_);
  Journal::record(launch_, "destroy");
}

/// The clients hear of the end last, when nothing of the container is left; then, so that it is true for the
/// starter of a failed start as well, the report ends.
void Monitor::farewell() {
  report_ = Report(-1);
  reportFd_.reset();
  attach_->farewell(static_cast<std::uint32_t>(exitCode_));
}

}  // namespace tsrun
