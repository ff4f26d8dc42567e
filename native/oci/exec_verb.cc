/// `exec`: one more process in a container, by the Joiner that tsrun's own exec uses.
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <map>

#include "base/failure.h"
#include "helper/fd_message.h"
#include "helper/process.h"
#include "oci/bundle.h"
#include "oci/foreground.h"
#include "oci/message.h"
#include "oci/protect.h"
#include "oci/read_all.h"
#include "oci/sockets.h"
#include "oci/state.h"
#include "runtime/join.h"
#include "runtime/records.h"
#include "runtime/seccomp_listener.h"
#include "runtime/steps.h"

namespace tsrun::oci {
namespace {

constexpr unsigned kMostPreserved = 4096;
constexpr unsigned kMostId = 0x7fffffff;

unsigned idOf(const std::string& text, const char* option) {
  unsigned id = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || stop != text.data() + text.size() || id > kMostId)
    throw Failure(step::kUsage, 0, std::string(option) + " " + text,
                  "not a number that a user or group can have");
  return id;
}

void addCapability(std::vector<std::string>& set, const std::string& name) {
  if (std::ranges::find(set, name) == set.end()) set.push_back(name);
}

/// The container's own process, changed as the options say.
void applyOptions(const Options& options, Spec::Process& process) {
  const auto& rest = options.rest();
  if (rest.size() < 2) throw Failure(step::kUsage, 0, "", "the program is missing");
  process.args.assign(rest.begin() + 1, rest.end());
  process.terminal = options.flag("tty");
  if (const auto cwd = options.value("cwd")) process.cwd = *cwd;
  if (!process.cwd.starts_with('/')) throw Failure(step::kUsage, 0, "--cwd " + process.cwd, "not absolute");
  for (const std::string& entry : options.values("env")) {
    const std::string name = entry.substr(0, entry.find('=')) + "=";
    std::erase_if(process.env, [&](const std::string& old) { return old.starts_with(name); });
    process.env.push_back(entry);
  }
  if (const auto user = options.value("user")) {
    const std::size_t colon = user->find(':');
    process.uid = idOf(user->substr(0, colon), "--user");
    if (colon != std::string::npos) process.gid = idOf(user->substr(colon + 1), "--user");
  }
  for (const std::string& gid : options.values("additional-gids"))
    process.additionalGids.push_back(idOf(gid, "--additional-gids"));
  process.consoleSize.reset();
  process.apparmorProfile = options.valueOr("apparmor", process.apparmorProfile);
  process.selinuxLabel = options.valueOr("process-label", process.selinuxLabel);
  if (options.has("no-new-privs")) process.noNewPrivileges = options.flag("no-new-privs");
  const auto names = options.values("cap");
  if (names.empty()) return;
  if (!process.capabilities) process.capabilities.emplace();
  for (const std::string& name : names) {
    Spec::Capabilities& sets = *process.capabilities;
    for (auto* set : {&sets.bounding, &sets.effective, &sets.permitted}) addCapability(*set, name);
    // Another user than root has it after execve only so.
    if (process.uid != 0)
      for (auto* set : {&sets.inheritable, &sets.ambient}) addCapability(*set, name);
  }
}

/// "PATH" or "CONTROLLER[,CONTROLLER]:PATH".
std::map<std::string, std::string> cgroupsOf(const Options& options) {
  std::map<std::string, std::string> below;
  for (const std::string& text : options.values("cgroup")) {
    const std::size_t colon = text.find(':');
    const std::string path = colon == std::string::npos ? text : text.substr(colon + 1);
    const std::string names = colon == std::string::npos ? "" : text.substr(0, colon);
    for (std::size_t at = 0; at <= names.size();) {
      const std::size_t comma = std::min(names.find(',', at), names.size());
      below[names.substr(at, comma - at)] = path;
      at = comma + 1;
    }
  }
  return below;
}

/// One exec, from its options to its process.
class Exec {
 public:
  explicit Exec(const Context& context) : options_(context.options), root_(context.root) {}
  int run();

 private:
  void prepare();
  void checkStatus() const;
  void cloneJoiner();
  void admit();
  void follow();
  void readReport();
  void giveUp();

  const Options& options_;
  const std::string root_;
  std::string id_;
  std::optional<Container> container_;
  Bundle bundle_;
  unsigned preserved_ = 0;
  bool detach_ = false;

  pid_t joiner_ = 0, pid_ = 0;
  UniqueFd pidfd_, sync_, report_, terminal_;
  std::string line_, step_;
};

void Exec::prepare() {
  if (options_.rest().empty()) throw Failure(step::kUsage, 0, "", "the container's id is missing");
  id_ = options_.rest()[0];
  container_.emplace(Container::open(root_, id_));
  detach_ = options_.flag("detach");
  bundle_ = readBundle(container_->state().bundle, container_->configPath());
  Spec::Process& process = bundle_.spec.process;
  bundle_.launch.id = id_;
  if (const auto file = options_.value("process")) {
    const std::string text = readAll(*file);
    process = readProcessText(text, *file);
    process.terminal |= options_.flag("tty");
  } else {
    applyOptions(options_, process);
  }
  bundle_.launch.consoleSize = consoleSizeOf(process);
  preserved_ = preservedFds(options_.number("preserve-fds", 0, kMostPreserved), process.env);
  const bool socket = options_.has("console-socket");
  if (socket && !(process.terminal && detach_))
    throw Failure(step::kConsole, 0, "--console-socket", "only a detached process with a terminal needs one");
  if (process.terminal && detach_ && !socket)
    throw Failure(step::kConsole, 0, "--console-socket", "a detached process with a terminal needs one");
}

void Exec::checkStatus() const {
  const Status status = container_->status();
  if (status == Status::stopped || status == Status::creating)
    throw Failure("exec", 0, id_, "container not running");
  if (status == Status::paused && !options_.flag("ignore-paused"))
    throw Failure("exec", 0, id_, "cannot exec in a paused container");
}

int Exec::run() {
  prepare();
  checkStatus();
  sealProcess(preserved_);
  std::optional<Foreground> foreground;
  if (!detach_) foreground.emplace();
  try {
    cloneJoiner();
    admit();
    follow();
  } catch (const Failure&) {
    giveUp();
    throw;
  }
  return detach_ ? 0 : foreground->follow(pid_, std::move(terminal_));
}

void Exec::cloneJoiner() {
  UniqueFd process = container_->process();
  if (!process) throw Failure("exec", 0, id_, "container not running");
  const RunningContainer running(id_, container_->state().pid, std::move(process));
  Joiner joiner(running, bundle_.spec, bundle_.launch);
  int report[2], sync[2];
  check(pipe2(report, O_CLOEXEC), step::kClone, "pipe");
  report_ = UniqueFd(report[0]);
  const UniqueFd reportEnd(report[1]);
  check(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sync), step::kClone, "socketpair");
  sync_ = UniqueFd(sync[0]);
  const UniqueFd childSync(sync[1]);
  ChildFds fds;
  fds.in = 0;
  fds.out = 1;
  fds.err = 2;
  fds.sync = childSync.get();
  fds.orphan = true;
  fds.preserved = preserved_;

  const auto cgroup = container_->cgroup();
  const auto below = cgroupsOf(options_);
  int pidfd = -1;
  joiner.givePipes(fds);
  joiner_ = check(cloneProcess(0, -1, &pidfd), step::kClone, id_);
  if (joiner_ == 0) {
    for (const int fd : {report_.get(), sync_.get()}) close(fd);
    Report childReport(reportEnd.get());
    joiner.run(fds, childReport);
  }
  const UniqueFd joinerFd(pidfd);
  if (cgroup)
    below.empty() ? cgroup->addBeside(joiner_, container_->state().pid) : cgroup->add(joiner_, below);
  joiner.admit(joiner_);
}

/// Lets the joiner enter, and takes over the process that it made. If it failed, its report says why.
void Exec::admit() {
  const char go = 1;
  check(send(sync_.get(), &go, 1, MSG_NOSIGNAL), step::kWaitGo, id_);
  pid_t pid = 0;
  ssize_t got;
  do got = recv(sync_.get(), &pid, sizeof pid, 0);
  while (got < 0 && errno == EINTR);
  while (waitpid(joiner_, nullptr, 0) < 0 && errno == EINTR) continue;
  joiner_ = 0;
  if (got != sizeof pid) return;
  pid_ = pid;
  // It is our child and has not been waited for: the number is still its own.
  pidfd_ = UniqueFd(static_cast<int>(check(syscall(SYS_pidfd_open, pid, 0), step::kJoin, "pidfd")));
  writePidFile(options_.valueOr("pid-file", ""), pid);
  if (const auto socket = options_.value("pidfd-socket")) sendFdTo(*socket, pidfd_.get(), "pidfd");
  check(send(sync_.get(), &go, 1, MSG_NOSIGNAL), step::kWaitGo, id_);
}

/// Until it has become the program: the end of its report says so.
void Exec::follow() {
  while (report_) {
    pollfd fds[] = {{report_.get(), POLLIN, 0}, {sync_ ? sync_.get() : -1, POLLIN, 0}};
    if (poll(fds, 2, -1) < 0 && errno != EINTR) fail(step::kLoop, "poll");
    if (fds[1].revents != 0) {
      FdMessage message = receiveFd(sync_.get());
      if (message.byte == kTerminal) {
        if (detach_)
          sendTerminal(*options_.value("console-socket"), message.fd.get());
        else
          terminal_ = std::move(message.fd);
      } else if (message.byte == kListener) {
        const State& state = container_->state();
        passListener(pid_, pidfd_.get(),
                     listenerOf(bundle_.spec, {id_, "running", state.pid, state.bundle, state.annotations}));
        const char go = 1;
        check(send(sync_.get(), &go, 1, MSG_NOSIGNAL), step::kSeccomp, id_);
      } else if (!message.again) {
        sync_.reset();
      }
      continue;  // the terminal comes before the end, however they are seen
    }
    if (fds[0].revents != 0) readReport();
  }
  if (step_ != step::kExec) throw Failure(step_, 0, id_, "the process died in this step");
}

void Exec::readReport() {
  char data[4096];
  const ssize_t got = read(report_.get(), data, sizeof data);
  if (got < 0 && errno == EINTR) return;
  if (got <= 0) return report_.reset();
  line_.append(data, static_cast<std::size_t>(got));
  for (std::size_t end; (end = line_.find('\n')) != std::string::npos; line_.erase(0, end + 1)) {
    const ReportLine line = parseReportLine(line_.substr(0, end));
    if (line.failure) throw *line.failure;
    if (line.step.empty()) continue;
    step_ = line.step;
    log().debug("exec in " + id_ + ": " + step_);
  }
}

void Exec::giveUp() {
  for (const pid_t pid : {joiner_, pid_}) {
    if (pid <= 0) continue;
    // Ours, and not waited for.
    kill(pid, SIGKILL);
    while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) continue;
  }
}

}  // namespace

int execVerb(const Context& context) {
  protectProcess(context);
  return Exec(context).run();
}

}  // namespace tsrun::oci
