#include "helper/session.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "helper/conclude.h"
#include "helper/fd_message.h"
#include "helper/journal.h"
#include "helper/process.h"
#include "runtime/cgroup.h"
#include "runtime/clock.h"
#include "runtime/file.h"
#include "runtime/records.h"
#include "runtime/seccomp_listener.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

/// After the process's end its pipes are empty when nothing has come for this long: what others write later
/// (a job in the background holds them too) is not waited for.
constexpr int kQuietMs = 50;
/// Nor are those who write without a pause.
constexpr long long kDrainMs = 2000;
/// What is kept of a probe's output.
constexpr std::size_t kMostOutput = 4096;

void sendGo(int sync) {
  const char go = 1;
  check(send(sync, &go, 1, MSG_NOSIGNAL), step::kWaitGo, "sync socket");
}

}  // namespace

Session::Session(std::string dir, ExecDocument document, UniqueFd report, UniqueFd attach, Kind kind)
    : dir_(std::move(dir)),
      reportFd_(std::move(report)),
      attachFd_(std::move(attach)),
      report_(reportFd_.get()),
      probe_(kind == Kind::kProbe),
      exec_(std::move(document)) {
  // A starter that does not read must not stop us; the monitor does read, and what a probe says must not be
  // cut short.
  if (reportFd_ && !probe_) fcntl(reportFd_.get(), F_SETFL, fcntl(reportFd_.get(), F_GETFL) | O_NONBLOCK);
}

int Session::run() {
  try {
    start();
    follow();
  } catch (const Failure& failure) {
    startFailed(failure, false);
  }
  // Nothing may outlive a session that failed half-way: the process is our child and dies with us, but is
  // reaped here.
  if (pidfd_ && !status_) {
    syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0);
    waitpid(pid_, nullptr, 0);
  }
  if (failure_) return 1;
  farewell();
  linger();
  return 0;
}

void Session::start() {
  report_.step(step::kJoin);
  container_.emplace(dir_, exec_.spec);
  stdio_.emplace(exec_.launch, exec_.spec.process.terminal);
  Joiner joiner(*container_, exec_.spec, exec_.launch);
  cloneJoiner(joiner);
  admit();
}

void Session::cloneJoiner(Joiner& joiner) {
  int report[2], sync[2];
  check(pipe2(report, O_CLOEXEC), step::kClone, "pipe");
  childReport_ = UniqueFd(report[0]);
  UniqueFd childReportEnd(report[1]);
  check(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sync), step::kClone, "socketpair");
  sync_ = UniqueFd(sync[0]);
  UniqueFd childSync(sync[1]);
  ChildFds fds = stdio_->childFds();
  fds.sync = childSync.get();

  const Cgroup cgroup = Cgroup::open(exec_.spec.cgroupsPath);
  int pidfd = -1;
  joiner.givePipes(fds);
  joiner_ = check(cloneProcess(0, cgroup.v2Fd(), &pidfd), step::kClone, exec_.launch.id);
  if (joiner_ == 0) {
    for (const UniqueFd* fd : {&attachFd_, &reportFd_, &childReport_, &sync_}) {
      if (*fd) close(fd->get());
    }
    stdio_->closeParentEndsInChild();
    Report childReport(childReportEnd.get());
    joiner.run(fds, childReport);
  }
  joinerFd_ = UniqueFd(pidfd);
  stdio_->closeChildEnds();
  report_.step(step::kCgroupJoin);
  // From outside and before anything else: what is made from now on counts, and the cgroup namespace shows it
  // at its root.
  cgroup.add(joiner_);
  joiner.admit(joiner_);
}

/// Lets the joiner enter, and takes over the process that it made. If it failed, its report says why.
void Session::admit() {
  sendGo(sync_.get());
  pid_t pid = 0;
  ssize_t got;
  do got = recv(sync_.get(), &pid, sizeof pid, 0);
  while (got < 0 && errno == EINTR);
  while (waitpid(joiner_, nullptr, 0) < 0 && errno == EINTR) continue;
  joinerFd_.reset();
  if (got != sizeof pid) return;
  pid_ = pid;
  // It is our child and has not been waited for: the number is still its own.
  pidfd_ = UniqueFd(static_cast<int>(check(syscall(SYS_pidfd_open, pid, 0), step::kJoin, "pidfd")));
  report_.pid(pid);
  sendGo(sync_.get());
}

std::unique_ptr<Watch> Session::watch(int fd, void (Session::*handler)()) {
  auto result = std::make_unique<Watch>(*loop_, fd, [this, handler](std::uint32_t) { (this->*handler)(); });
  result->set(EPOLLIN);
  return result;
}

void Session::follow() {
  loop_ = std::make_unique<EventLoop>();
  attach_ = std::make_unique<Attach>(*loop_, *this);
  if (attachFd_) attach_->adoptFirst(std::move(attachFd_));
  sigset_t all;
  sigfillset(&all);
  signals_ = UniqueFd(check(signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK), step::kLoop, "signalfd"));
  signalsWatch_ = watch(signals_.get(), &Session::readSignals);
  stdio_->watch(*loop_, [this](int stream, const char* data, std::size_t length) {
    if (status_) quietUntil_ = monotonicMs() + kQuietMs;
    if (probe_) capture(data, length);
    attach_->output(stream, data, length);
  });
  childReportWatch_ = watch(childReport_.get(), &Session::readChildReport);
  syncWatch_ = watch(sync_.get(), &Session::readSync);
  if (pid_ == 0) {
    while (childReport_) readChildReport();
    return;
  }
  reap();
  while (!ended()) {
    attach_->update();
    stdio_->update(!attach_->awaitsFirst() && !attach_->isCongested());
    idle_ = !loop_->wait(drainTime());
  }
}

bool Session::ended() {
  if (failure_) return status_.has_value();
  if (!status_ || childReport_) return false;
  if (stdio_->outputEnded()) return true;
  // A client that does not read, or has not spoken yet, is waited for: what it is to get is in the pipes.
  if (attach_->awaitsFirst() || attach_->isCongested()) {
    endedAt_ = monotonicMs();
    quietUntil_ = endedAt_ + kQuietMs;
  }
  // Time alone says nothing: on a machine that stood still what there is to read has not been looked at.
  return drainTime() == 0 && (idle_ || monotonicMs() >= endedAt_ + kDrainMs);
}

int Session::drainTime() const {
  if (!status_) return -1;
  const long long until = std::min(quietUntil_, endedAt_ + kDrainMs);
  return static_cast<int>(std::clamp(until - monotonicMs(), 0LL, kDrainMs));
}

void Session::readSignals() {
  signalfd_siginfo info{};
  while (read(signals_.get(), &info, sizeof info) == sizeof info)
    if (probe_ && info.ssi_signo == SIGTERM) killGroup();
  reap();
}

/// The shell that runs a check is no more than its parent: what it waits for goes with it.
void Session::killGroup() {
  if (status_ || !pidfd_) return;
  // Not yet waited for, so the number is its own; it leads a group since it called setsid.
  if (getpgid(pid_) == pid_) kill(-pid_, SIGKILL);
  syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0);
}

void Session::capture(const char* data, std::size_t length) {
  const std::size_t room = kMostOutput - captured_.size();
  captured_.append(data, std::min(length, room));
  cut_ |= length > room;
}

void Session::reap() {
  int status = 0;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
    if (pid != pid_) continue;
    status_ = status;
    endedAt_ = monotonicMs();
    quietUntil_ = endedAt_ + kQuietMs;
    stdio_->processEnded();
  }
}

void Session::readChildReport() {
  char data[4096];
  const ssize_t got = read(childReport_.get(), data, sizeof data);
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (got > 0) {
    if (reportFd_) (void)!write(reportFd_.get(), data, static_cast<std::size_t>(got));
    reportLine_.append(data, static_cast<std::size_t>(got));
    for (std::size_t end; (end = reportLine_.find('\n')) != std::string::npos;
         reportLine_.erase(0, end + 1)) {
      ReportLine line = parseReportLine(reportLine_.substr(0, end));
      if (line.failure) startFailed(*line.failure, true);
      if (!line.step.empty()) childStep_ = line.step;
    }
    return;
  }
  childReportWatch_->set(0);
  childReport_.reset();
  readSync();  // the terminal was sent before: this end may be seen first
  syncWatch_->set(0);
  sync_.reset();
  if (failure_) return;
  if (childStep_ != step::kExec)
    return startFailed(Failure(childStep_, 0, exec_.launch.id, "the process died in this step"), false);
  started_ = true;
  Journal::record(dir_, exec_.launch, "exec_start: " + commandOf(exec_), {{"execID", exec_.id}});
  // The starter may see the end of the records now; of a probe the last one is still to come.
  report_ = Report(-1);
  if (!probe_) reportFd_.reset();
}

void Session::startFailed(const Failure& failure, bool told) {
  if (failure_) return;
  failure_ = failure;
  if (!told) report_.failed(failure);
  if (pidfd_) syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0);
}

void Session::readSync() {
  FdMessage message = receiveFd(sync_.get());
  if (message.again) return;
  if (message.byte == kListener) return answerListener();
  if (!message.fd) return syncWatch_->set(0);
  stdio_->adoptTerminal(std::move(message.fd));
}

void Session::answerListener() {
  passListener(pid_, pidfd_.get(),
               listenerOf(exec_.spec, {exec_.launch.id, "running", container_->pid(), dir_, {}}));
  sendGo(sync_.get());
}

int Session::signal(int number) {
  if (status_ || !pidfd_) return ESRCH;
  return syscall(SYS_pidfd_send_signal, pidfd_.get(), number, nullptr, 0) == 0 ? 0 : errno;
}

// These are asked of a container, not of one process in it.
int Session::stop(int, bool) {
  return ENOSYS;
}
int Session::probe(std::uint64_t&) {
  return ENOSYS;
}
int Session::freeze() {
  return ENOSYS;
}
int Session::thaw() {
  return ENOSYS;
}
int Session::hold() {
  return ENOSYS;
}
int Session::unhold() {
  return ENOSYS;
}

void Session::farewell() {
  const int code = exitCodeOf(*status_);
  Journal::record(dir_, exec_.launch, "exec_die", {{"execID", exec_.id}, {"exitCode", std::to_string(code)}});
  if (probe_) {
    const std::string line = probeLine(code, cut_ ? captured_ + "..." : captured_);
    writeAll(reportFd_.get(), line.data(), line.size());
    reportFd_.reset();
  }
  attach_->farewell(static_cast<std::uint32_t>(code));
}

/// Whoever still holds the pipes (a job that was left in the background) would be killed by its next line if
/// they closed: it is read, for nobody, until it ends, at the latest with the container.
void Session::linger() {
  if (exec_.spec.process.terminal) return;
  stdio_->watch(*loop_, [](int, const char*, std::size_t) {});
  while (!stdio_->outputEnded()) {
    stdio_->update(true);
    loop_->wait(-1);
  }
}

}  // namespace tsrun
