/// What becomes of a container once it is made: its start, its end, signals and freezing.
#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "base/failure.h"
#include "oci/creation.h"
#include "oci/message.h"
#include "oci/signal_name.h"
#include "runtime/file.h"
#include "runtime/records.h"
#include "runtime/steps.h"

namespace tsrun::oci {
namespace {

constexpr int kKillDeadlineMs = 10000;

Failure notRunning(const std::string& id) {
  return Failure("container", 0, id, "container not running");
}

/// What the process says between its gate and the program; all of it, to the end.
void awaitProgram(int started, int process, const std::string& id) {
  std::string text, last;
  for (bool open = true; open;) {
    pollfd fds[] = {{started, POLLIN, 0}, {process, POLLIN, 0}};
    if (poll(fds, 2, -1) < 0 && errno != EINTR) fail(step::kLoop, "poll");
    char data[4096];
    const ssize_t got = read(started, data, sizeof data);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got <= 0) open = false;
    if (got > 0) text.append(data, static_cast<std::size_t>(got));
    for (std::size_t end; (end = text.find('\n')) != std::string::npos; text.erase(0, end + 1)) {
      const ReportLine line = parseReportLine(text.substr(0, end));
      if (line.failure) throw *line.failure;
      if (!line.step.empty()) last = line.step;
    }
  }
  if (last != step::kExec)
    throw Failure(last.empty() ? step::kGate : last, 0, id,
                  "the container's first process died in this step");
}

void waitForEnd(int pidfd, const std::string& id) {
  pollfd ended{pidfd, POLLIN, 0};
  int result;
  do result = poll(&ended, 1, kKillDeadlineMs);
  while (result < 0 && errno == EINTR);
  if (result == 0) throw Failure("signal", EBUSY, id, "its first process does not die");
}

void sendSignal(int pidfd, int number, const std::string& id) {
  if (syscall(SYS_pidfd_send_signal, pidfd, number, nullptr, 0) == 0) return;
  if (errno == ESRCH) throw notRunning(id);
  throw Failure("signal", errno, id);
}

}  // namespace

void startContainer(Container& container, const Bundle& bundle) {
  const std::string& id = container.state().id;
  const UniqueFd process = container.process();
  if (!process) throw Failure("start", 0, id, "cannot start a container that has stopped");
  const UniqueFd started(
      open(container.startedPath().c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
  const UniqueFd gate(open(container.gatePath().c_str(), O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
  if (!started || !gate) throw Failure("start", 0, id, "cannot start a container that is already running");
  const char go = 1;
  if (write(gate.get(), &go, 1) != 1) fail(step::kGate, id);
  awaitProgram(started.get(), process.get(), id);
  for (const std::string& path : {container.gatePath(), container.startedPath()})
    removeFile(path, step::kRecord);
  // The program runs: what goes wrong now is told, and changes nothing.
  const Hooks poststart("poststart", bundle.poststart, container.hookState(Status::running));
  for (const Failure& failure : poststart.runAll(container.state().pid)) log().warning(messageOf(failure));
}

void destroyContainer(Container& container) {
  std::vector<Hook> poststop;
  try {
    poststop = readBundle(container.state().bundle, container.configPath()).poststop;
  } catch (const Failure& failure) {
    // The bundle may be gone by now: that must not keep anybody from removing the rest.
    log().debug(messageOf(failure));
  }
  const HookState state = container.hookState(Status::stopped);
  container.remove();
  for (const Failure& failure : Hooks("poststop", poststop, state).runAll(0))
    log().warning(messageOf(failure));
}

int startVerb(const Context& context) {
  Container container = Container::open(context.root, onlyId(context));
  container.lock();
  const Bundle bundle = readBundle(container.state().bundle, container.configPath());
  startContainer(container, bundle);
  return 0;
}

int killVerb(const Context& context) {
  const auto& rest = context.options.rest();
  if (rest.empty() || rest.size() > 2)
    throw Failure(step::kUsage, 0, "", rest.empty() ? "the container's id is missing" : "too many arguments");
  const int number = signalOf(rest.size() > 1 ? rest[1] : "TERM");
  const Container container = Container::open(context.root, rest[0]);
  const UniqueFd process = container.process();
  const auto cgroup = container.cgroup();
  // Where there is no pid namespace to end with the first process, SIGKILL is meant for all of them.
  if (context.options.flag("all") || (number == SIGKILL && !container.state().ownPids)) {
    if (cgroup && cgroup->isThere())
      cgroup->signalAll(number);
    else if (process)
      sendSignal(process.get(), number, rest[0]);
    if (!process) return 0;
  } else {
    if (!process) throw notRunning(rest[0]);
    sendSignal(process.get(), number, rest[0]);
  }
  // A frozen process of cgroup v1 dies when it thaws.
  if (number == SIGKILL && cgroup && cgroup->isFrozen()) cgroup->freeze(false);
  return 0;
}

int deleteVerb(const Context& context) {
  const bool force = context.options.flag("force");
  const std::string id = onlyId(context);
  try {
    Container container = Container::open(context.root, id);
    container.lock();
    const Status status = container.status();
    if (status == Status::running || status == Status::paused) {
      if (!force)
        throw Failure("delete", 0, id,
                      std::string("cannot delete a container that is not stopped: ") + nameOf(status));
    }
    if (const UniqueFd process = container.process()) {
      sendSignal(process.get(), SIGKILL, id);
      if (const auto cgroup = container.cgroup(); cgroup && cgroup->isFrozen()) cgroup->freeze(false);
      waitForEnd(process.get(), id);
    }
    destroyContainer(container);
  } catch (const Failure& failure) {
    if (force && failure.detail == "container does not exist") return 0;
    throw;
  }
  return 0;
}

int pauseVerb(const Context& context) {
  Container container = Container::open(context.root, onlyId(context));
  container.lock();
  const Status status = container.status();
  if (status != Status::running && status != Status::created) throw notRunning(container.state().id);
  const auto cgroup = container.cgroup();
  if (!cgroup)
    throw Failure(step::kCgroupFreeze, ENOENT, container.state().id, "the container has no cgroup");
  cgroup->freeze(true);
  return 0;
}

int resumeVerb(const Context& context) {
  Container container = Container::open(context.root, onlyId(context));
  container.lock();
  const auto cgroup = container.cgroup();
  if (container.status() == Status::stopped || container.state().pid == 0)
    throw notRunning(container.state().id);
  if (!cgroup || !cgroup->isFrozen())
    throw Failure("resume", 0, container.state().id, "the container is not paused");
  cgroup->freeze(false);
  return 0;
}

}  // namespace tsrun::oci
