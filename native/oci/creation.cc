#include "oci/creation.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "base/failure.h"
#include "helper/fd_message.h"
#include "helper/process.h"
#include "oci/message.h"
#include "oci/protect.h"
#include "oci/sockets.h"
#include "runtime/clock.h"
#include "runtime/file.h"
#include "runtime/records.h"
#include "runtime/seccomp_listener.h"
#include "runtime/steps.h"

namespace tsrun::oci {
namespace {

constexpr unsigned kMostPreserved = 4096;

std::string absolutePath(const std::string& path) {
  if (path.empty() || path.starts_with('/')) return path;
  char here[4096];
  if (getcwd(here, sizeof here) == nullptr) fail(step::kHelperConfig, path);
  return std::string(here) + "/" + path;
}

}  // namespace

Creation::Creation(const Context& context, bool foreground) : context_(context), foreground_(foreground) {
  const Options& options = context.options;
  id_ = onlyId(context);
  // Relative to where the caller is, while we are still there.
  pidFile_ = absolutePath(options.valueOr("pid-file", ""));
  consoleSocket_ = absolutePath(options.valueOr("console-socket", ""));
  pidfdSocket_ = absolutePath(options.valueOr("pidfd-socket", ""));
  preserved_ = options.number("preserve-fds", 0, kMostPreserved);
  const std::string dir = options.valueOr("bundle", ".");
  bundle_ = readBundle(dir, dir + "/config.json");
  checkTerminal();
}

void Creation::checkTerminal() const {
  const bool terminal = bundle_.spec.process.terminal;
  if (!consoleSocket_.empty() && (!terminal || foreground_))
    throw Failure(step::kConsole, 0, "--console-socket",
                  terminal ? "a container in the foreground has the caller's terminal"
                           : "the container has no terminal");
  if (terminal && !foreground_ && consoleSocket_.empty())
    throw Failure(step::kConsole, 0, "--console-socket", "a container with a terminal needs one");
}

void Creation::prepareLaunch() {
  Spec& spec = bundle_.spec;
  Launch& launch = bundle_.launch;
  launch.id = id_;
  launch.bundle.createContainer = bundle_.createContainer;
  launch.bundle.startContainer = bundle_.startContainer;
  launch.bundle.hooksOutside = !bundle_.prestart.empty() || !bundle_.createRuntime.empty();
  launch.bundle.ownKeyring = !context_.options.flag("no-new-keyring");
  preserved_ = preservedFds(preserved_, spec.process.env);

  state_.ociVersion = spec.ociVersion.empty() ? "1.0.2" : spec.ociVersion;
  state_.id = id_;
  state_.bundle = bundle_.dir;
  state_.rootfs = spec.rootPath;
  state_.created = rfc3339Now();
  state_.owner = getuid();
  state_.annotations = bundle_.annotations;
  const Spec::Namespace* pids = spec.findNamespace("pid");
  state_.ownPids = pids != nullptr && pids->path.empty();
  if (context_.systemdCgroup)
    throw Failure(step::kCgroupCreate, ENOTSUP, "--systemd-cgroup",
                  "systemd cannot be asked for cgroups here");
  if (!context_.noCgroup) {
    // Without a path of the caller's: below a directory of ours, which goes with the last of them.
    if (spec.cgroupsPath.empty()) spec.cgroupsPath = "/tsrun/oci/" + id_;
    if (!spec.cgroupsPath.starts_with('/')) spec.cgroupsPath = "/" + spec.cgroupsPath;
    state_.cgroup = spec.cgroupsPath;
  } else {
    spec.cgroupsPath.clear();
  }
}

Container Creation::run() {
  prepareLaunch();
  container_.emplace(Container::make(context_.root, id_));
  try {
    container_->lock();
    make();
  } catch (const Failure&) {
    undo();
    throw;
  }
  return std::move(*container_);
}

void Creation::make() {
  sealProcess(preserved_);
  container_->save(state_);
  replaceFile(container_->dir(), "config.json", bundle_.text, false, step::kRecord);
  bundle_.launch.bundle.hookState = container_->hookState(Status::creating);
  makeGate();
  ledger_.emplace(container_->dir());
  makeCgroup();
  prepared_ = PreparedChild::prepare(bundle_.spec, bundle_.launch, container_->dir());
  cloneChild();
  state_.pid = pid_;
  state_.startTime = startTimeOf(pid_);
  container_->save(state_);
  if (cgroup_) cgroup_->add(pid_);
  prepared_->admit(pid_);
  answer();
  follow();
  writePidFile(pidFile_, pid_);
  if (!pidfdSocket_.empty()) sendFdTo(pidfdSocket_, pidfd_.get(), "pidfd");
  // From here on it is the caller's: it waits at its gate, whatever becomes of us.
  answer();
}

void Creation::makeGate() {
  for (const std::string& path : {container_->gatePath(), container_->startedPath()})
    check(mkfifo(path.c_str(), 0600), step::kRecord, path);
  // For reading and writing: it needs no other side to be opened, and never ends.
  gate_.reset(check(open(container_->gatePath().c_str(), O_RDWR | O_CLOEXEC), step::kRecord, "gate"));
  startedReader_.reset(check(open(container_->startedPath().c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC),
                             step::kRecord, "started"));
  started_.reset(
      check(open(container_->startedPath().c_str(), O_WRONLY | O_CLOEXEC), step::kRecord, "started"));
}

void Creation::makeCgroup() {
  if (context_.noCgroup) return;
  const Cgroup before = Cgroup::open(bundle_.spec.cgroupsPath);
  if (before.isThere()) {
    if (before.isFrozen())
      throw Failure(step::kCgroupCreate, EBUSY, bundle_.spec.cgroupsPath,
                    "the container's cgroup unexpectedly frozen");
    if (!before.pids().empty())
      log().warning("the container's cgroup is not empty: " + std::to_string(before.pids().size()) +
                    " processes are in " + bundle_.spec.cgroupsPath);
  }
  cgroup_.emplace(Cgroup::create(bundle_.spec, *ledger_, Cgroup::Existing::share));
}

void Creation::cloneChild() {
  int report[2], sync[2];
  check(pipe2(report, O_CLOEXEC), step::kClone, "pipe");
  report_ = UniqueFd(report[0]);
  UniqueFd reportEnd(report[1]);
  check(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sync), step::kClone, "socketpair");
  sync_ = UniqueFd(sync[0]);
  UniqueFd childSync(sync[1]);

  ChildFds fds;
  fds.in = 0;
  fds.out = 1;
  fds.err = 2;
  fds.sync = childSync.get();
  fds.orphan = true;
  fds.preserved = preserved_;
  fds.gate = gate_.get();
  fds.started = started_.get();
  int pidfd = -1;
  pid_ = prepared_->clone(fds, cgroup_ ? cgroup_->v2Fd() : -1, &pidfd);
  if (pid_ == 0) {
    // Our ends first: the end of a socket must be seen when we die.
    for (const int fd : {container_->lockFd(), report_.get(), sync_.get(), startedReader_.get()}) close(fd);
    Report childReport(reportEnd.get());
    prepared_->run(fds, childReport);
  }
  pidfd_ = UniqueFd(pidfd);
  // Held by nobody but the process: so its end is seen, and whether it still waits.
  gate_.reset();
  started_.reset();
}

void Creation::answer() const {
  const char go = 1;
  check(send(sync_.get(), &go, 1, MSG_NOSIGNAL), step::kWaitGo, id_);
}

/// Until it waits at its gate.
void Creation::follow() {
  while (!ready_) {
    pollfd fds[] = {{report_.get(), POLLIN, 0}, {sync_.get(), POLLIN, 0}};
    if (poll(fds, 2, -1) < 0 && errno != EINTR) fail(step::kLoop, "poll");
    if (fds[0].revents != 0) readReport();
    if (failure_) throw *failure_;
    if (fds[1].revents != 0) readMessage();
    // Both ends are the process's: it is gone.
    if (!report_ && !ready_) throw Failure(step_, 0, id_, "the container's first process died in this step");
  }
}

void Creation::readReport() {
  char data[4096];
  const ssize_t got = read(report_.get(), data, sizeof data);
  if (got < 0 && errno == EINTR) return;
  if (got <= 0) return report_.reset();
  line_.append(data, static_cast<std::size_t>(got));
  for (std::size_t end; (end = line_.find('\n')) != std::string::npos; line_.erase(0, end + 1)) {
    const ReportLine line = parseReportLine(line_.substr(0, end));
    if (line.failure && !failure_) failure_ = line.failure;
    if (line.step.empty()) continue;
    step_ = line.step;
    log().debug("container " + id_ + ": " + step_);
  }
}

void Creation::readMessage() {
  const FdMessage message = receiveFd(sync_.get());
  if (message.again) return;
  switch (message.byte) {
    case kTerminal:
      if (consoleSocket_.empty())
        terminal_ = UniqueFd(fcntl(message.fd.get(), F_DUPFD_CLOEXEC, 3));
      else
        sendTerminal(consoleSocket_, message.fd.get());
      return;
    case kHooksPlease: {
      const HookState state = container_->hookState(Status::creating);
      Hooks("prestart", bundle_.prestart, state).run(pid_);
      Hooks("createRuntime", bundle_.createRuntime, state).run(pid_);
      return answer();
    }
    case kListener:
      passListener(pid_, pidfd_.get(),
                   listenerOf(bundle_.spec, {id_, "creating", pid_, bundle_.dir, bundle_.annotations}));
      return answer();
    case kReady:
      ready_ = true;
      return;
    default:
      return;
  }
}

/// A failure in here is of no interest beside the one that it follows.
void Creation::undo() {
  if (pidfd_) {
    syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0);
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) continue;
  }
  cgroup_.reset();
  ledger_.reset();
  try {
    container_->remove();
  } catch (const Failure& failure) {
    log().warning(messageOf(failure));
  }
}

int createVerb(const Context& context) {
  protectProcess(context);
  Creation creation(context, false);
  creation.run();
  return 0;
}

}  // namespace tsrun::oci
