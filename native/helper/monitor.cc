#include "helper/monitor.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "helper/fd_message.h"
#include "helper/journal.h"
#include "runtime/clock.h"
#include "runtime/file.h"
#include "runtime/lock.h"
#include "runtime/records.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

/// How long the output of a process that has ended may still come: others can hold its pipes (a shared pid
/// namespace, an fd passed over a socket), and must not keep the container from ending.
constexpr long long kDrainMs = 2000;
/// Output that is read after the end although clients do not keep up: what the pipes can hold, so that
/// nothing written before the end is lost to a slow reader.
constexpr std::size_t kAfterExit = 4 << 20;
/// How long the first client of a program that has already ended may take to say what it wants.
constexpr long long kHelloMs = 10000;

}  // namespace

Monitor::Monitor(std::string dir, UniqueFd report, UniqueFd attach, std::string init)
    : dir_(std::move(dir)),
      init_(std::move(init)),
      report_(report.get()),
      reportFd_(std::move(report)),
      attachFd_(std::move(attach)) {
  // A starter that does not read must not stop us; it has room for far more than there are steps.
  if (reportFd_) fcntl(reportFd_.get(), F_SETFL, fcntl(reportFd_.get(), F_GETFL) | O_NONBLOCK);
}

int Monitor::run() {
  try {
    takeLock();
  } catch (const Failure& failure) {
    report_.failed(failure);  // nothing here is ours
    return 1;
  }
  for (;;) {
    try {
      start();
    } catch (const Failure& failure) {
      startFailed(failure, false);
    }
    follow();
    if (!conclude()) break;
    forgetRun();
  }
  letGo();
  farewell();
  return 0;
}

/// What serves clients and outlives a run. Made after the first clone: the child has no use for it.
void Monitor::serve() {
  if (loop_) return;
  loop_ = std::make_unique<EventLoop>();
  attach_ = std::make_unique<Attach>(*loop_, *this);
  if (attachFd_) attach_->adoptFirst(std::move(attachFd_));
  if (failure_) return;
  attach_->listen(std::move(listener_));
  sigset_t all;
  sigfillset(&all);
  signals_ = UniqueFd(check(signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK), step::kLoop, "signalfd"));
  signalsWatch_ = watch(signals_.get(), &Monitor::readSignals);
}

std::unique_ptr<Watch> Monitor::watch(int fd, void (Monitor::*handler)()) {
  auto result = std::make_unique<Watch>(*loop_, fd, [this, handler](std::uint32_t) { (this->*handler)(); });
  result->set(EPOLLIN);
  return result;
}

void Monitor::follow() {
  serve();
  if (!stdio_)
    stdio_.emplace(launch_, true);  // a start that failed early has no streams, but may have clients
  if (failure_) return killChild();

  stdio_->watch(*loop_, [this](int stream, const char* data, std::size_t length) {
    if (status_) afterExit_ += length;
    log_->write(stream, data, length);
    attach_->output(stream, data, length);
  });
  childReportWatch_ = watch(childReport_.get(), &Monitor::readChildReport);
  syncWatch_ = watch(sync_.get(), &Monitor::readSync);
  reap();  // it may have ended before its signal could be seen here
  while (!ended()) round(drainTime());
  stdio_->abandonOutput();
}

void Monitor::round(int timeout) {
  attach_->update();
  const bool silent = attach_->awaitsFirst();
  if (status_ && silent && monotonicMs() < endedAt_ + kHelloMs) drainUntil_ = monotonicMs() + kDrainMs;
  stdio_->update(!silent && (!attach_->isCongested() || (status_ && afterExit_ < kAfterExit)));
  loop_->wait(timeout);
}

bool Monitor::ended() const {
  if (!status_ || childReport_) return false;
  return failure_ || stdio_->outputEnded() || drainTime() == 0;
}

int Monitor::drainTime() const {
  if (!status_) return -1;
  return static_cast<int>(std::clamp(drainUntil_ - monotonicMs(), 0LL, kDrainMs));
}

void Monitor::readSignals() {
  signalfd_siginfo info{};
  while (read(signals_.get(), &info, sizeof info) == sizeof info) {
    // A machine that shuts down, or an impatient user: the program decides, as it does for `stop`, and is not
    // started again now (but after a reboot). Nothing else ends us.
    if (info.ssi_signo != SIGTERM) continue;
    ends_ = true;
    deliver(SIGTERM);
  }
  reap();
}

/// All children: as subreaper we inherit whatever the container's processes leave behind.
void Monitor::reap() {
  int status = 0;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
    if (pid != pid_) continue;
    status_ = status;
    endedAt_ = monotonicMs();
    drainUntil_ = endedAt_ + kDrainMs;
    stdio_->processEnded();
    if (health_) health_->suspend();
    if (!ownPids_) killRest();
  }
}

/// In a pid namespace of its own the kernel ends everything with the first process; in another's, we do. What
/// cannot be killed is told by the ledger's release.
void Monitor::killRest() {
  try {
    cgroup_->killAll();
  } catch (const Failure&) {
    return;
  }
}

/// Passes the child's records on, and keeps what they say.
void Monitor::readChildReport() {
  char data[4096];
  const ssize_t got = read(childReport_.get(), data, sizeof data);
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (got <= 0) {
    childReportWatch_->set(0);
    childReport_.reset();
    return childReportEnded();
  }
  if (reportFd_) (void)!write(reportFd_.get(), data, static_cast<std::size_t>(got));
  reportLine_.append(data, static_cast<std::size_t>(got));
  for (std::size_t end; (end = reportLine_.find('\n')) != std::string::npos; reportLine_.erase(0, end + 1)) {
    ReportLine line = parseReportLine(reportLine_.substr(0, end));
    if (line.failure) startFailed(*line.failure, true);
    if (!line.step.empty()) childStep_ = line.step;
    if (line.step == step::kExec) execAt_ = rfc3339Now();
  }
}

void Monitor::childReportEnded() {
  readSync();  // the terminal was sent before: this end may be seen first
  syncWatch_->set(0);
  sync_.reset();
  if (failure_) return;
  if (childStep_ != step::kExec) {
    return startFailed(Failure(childStep_, 0, launch_.id, "the container's first process died in this step"),
                       false);
  }
  try {
    started();
  } catch (const Failure& failure) {
    startFailed(failure, false);
  }
}

/// The fd was close-on-exec: its end after the step `exec` means that the program runs.
void Monitor::started() {
  startedAt_ = execAt_;
  runningSince_ = monotonicMs();
  watchHealth();  // before the state: who sees the new run finds no health of the last one, nor none
  writePhase();
  endStart();
  Journal::record(dir_, launch_, "start");
  // Only now may the starter see the end of the records: it finds a state that says running.
  report_ = Report(-1);
  reportFd_.reset();
  std::string().swap(reportLine_);
}

/// A start of ours is an operation as well; the starter's own byte is not ours to free.
void Monitor::endStart() {
  unlockByte(lock_.get(), kOperationByte);
}

void Monitor::watchHealth() {
  if (!launch_.health) return;
  Health::Events events;
  events.start = [this] { return Probe::start(dir_, lock_.get()); };
  events.isEnding = [this] { return isEnding(); };
  events.changed = [this](const std::string& status) {
    Journal::record(dir_, launch_, "health_status: " + status);
  };
  events.done = [this](std::uint64_t number, bool success) { attach_->answerProbe(number, success); };
  health_.emplace(*loop_, dir_, *launch_.health, runningSince_, std::move(events));
}

/// A process gives its memory back first, and becomes a zombie when its pid namespace is empty.
bool Monitor::isEnding() const {
  char target[1];
  const std::string program = "/proc/" + std::to_string(pid_) + "/exe";
  return status_ || (readlink(program.c_str(), target, sizeof target) < 0 && errno == ENOENT);
}

void Monitor::startFailed(const Failure& failure, bool told) {
  if (failure_) return;
  failure_ = failure;
  if (!told) report_.failed(failure);
  if (pidfd_) deliver(SIGKILL);
}

/// The master of the container's terminal comes as one message with one fd.
void Monitor::readSync() {
  FdMessage message = receiveFd(sync_.get());
  if (message.again) return;
  try {
    if (message.byte == kListener) return answerListener();
    if (!message.fd) return syncWatch_->set(0);
    stdio_->adoptTerminal(std::move(message.fd));
  } catch (const Failure& failure) {
    startFailed(failure, false);
  }
}

/// The child is about to load a filter that notifies somebody.
void Monitor::answerListener() {
  if (listenerOf_) passListener(pid_, pidfd_.get(), *listenerOf_);
  const char go = 1;
  check(send(sync_.get(), &go, 1, MSG_NOSIGNAL), step::kSeccomp, "sync socket");
}

void Monitor::writePhase() {
  StateRecord state;
  state.phase = frozen_ ? "paused" : "running";
  state.pid = pid_;
  state.startedAt = startedAt_;
  state.restartCount = backoff_.count();
  state.network = lease_ ? &*lease_ : nullptr;
  writeState(dir_, state);
}

int Monitor::signal(int number) {
  // `kill`, or the user's ctrl-c: what asks a program to end must not start it again.
  const bool asksToEnd = number == SIGKILL || number == SIGTERM || number == SIGINT || number == SIGQUIT ||
                         number == launch_.stopSignal;
  if (!asksToEnd) return sendByUser(number);
  const int error = markStopped();
  const int sent = pidfd_ ? sendByUser(number) : 0;
  return sent != 0 ? sent : error;
}

int Monitor::probe(std::uint64_t& ticket) {
  if (!launch_.health) return ENOENT;
  if (!health_ || status_) return ESRCH;
  if (frozen_) return EBUSY;
  ticket = health_->request();
  return 0;
}

int Monitor::stop(int number, bool keep) {
  stopped_ = true;
  keeps_ |= keep;
  const int error = markStopped();
  // Nothing runs between two runs: that no other follows is all that was asked.
  const int sent = pidfd_ && number != 0 ? sendByUser(number) : 0;
  return sent != 0 ? sent : error;
}

/// No restart follows, and `unless-stopped` knows it after a reboot, too.
int Monitor::markStopped() {
  ends_ = true;
  if (launch_.autoRemove) return 0;
  try {
    replaceFile(dir_, "stopped", "", true, step::kRecord);
    return 0;
  } catch (const Failure& failure) {
    // A full disk must not keep anybody from ending a container for which the mark says nothing.
    if (launch_.restart.policy != Launch::RestartPolicy::kUnlessStopped) return 0;
    return failure.error != 0 ? failure.error : EIO;
  }
}

int Monitor::sendByUser(int number) {
  const int error = deliver(number);
  if (error == 0) Journal::record(dir_, launch_, "kill", {{"signal", std::to_string(number)}});
  return error;
}

int Monitor::deliver(int number) {
  if (!pidfd_) return ESRCH;
  if (syscall(SYS_pidfd_send_signal, pidfd_.get(), number, nullptr, 0) != 0) return errno;
  // A frozen process dies only when it thaws (cgroup v1).
  if (number == SIGKILL && frozen_) {
    paused_ = false;
    holds_ = 0;
    return applyFreeze();
  }
  return 0;
}

int Monitor::freeze() {
  if (paused_) return 0;
  paused_ = true;
  const int error = applyFreeze();
  if (error != 0) paused_ = false;
  if (error == 0) Journal::record(dir_, launch_, "pause");
  return error;
}

int Monitor::thaw() {
  if (!paused_) return 0;
  paused_ = false;
  const int error = applyFreeze();
  if (error == 0) Journal::record(dir_, launch_, "unpause");
  return error;
}

int Monitor::hold() {
  ++holds_;
  const int error = applyFreeze();
  if (error != 0) --holds_;
  return error;
}

int Monitor::unhold() {
  holds_ = std::max(0, holds_ - 1);
  return applyFreeze();
}

/// Makes the cgroup frozen or not, as its reasons say, and records it.
int Monitor::applyFreeze() {
  const bool wanted = paused_ || holds_ > 0;
  if (startedAt_.empty() || status_) return wanted ? ESRCH : 0;
  if (wanted == frozen_) return 0;
  try {
    cgroup_->freeze(wanted);
    frozen_ = wanted;
    if (health_) wanted ? health_->suspend() : health_->resume();
    writePhase();
    return 0;
  } catch (const Failure& failure) {
    return failure.error != 0 ? failure.error : EIO;
  }
}

}  // namespace tsrun
