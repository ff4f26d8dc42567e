#include "runtime/hooks.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "base/unique_fd.h"
#include "runtime/entry.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

constexpr std::size_t kUsualPipe = 64 << 10;
constexpr std::size_t kMessage = 512;

[[noreturn]] void become(int input, int output, const char* path, char* const* argv, char* const* envp) {
  resetChildSignals();
  signal(SIGPIPE, SIG_DFL);
  if (dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0) _exit(127);
  syscall(SYS_close_range, 3, ~0U, 0);
  execve(path, argv, envp);
  const int error = errno;
  dprintf(2, "%s", strerrordesc_np(error));
  _exit(127);
}

/// Writes the state; a hook that does not read it is no failure.
void feed(int pipe, const HookState& state, int pid) {
  char number[16];
  const int length = std::snprintf(number, sizeof number, "%d", pid);
  iovec parts[] = {{const_cast<char*>(state.head.data()), state.head.size()},
                   {number, static_cast<std::size_t>(length)},
                   {const_cast<char*>(state.tail.data()), state.tail.size()}};
  (void)!writev(pipe, parts, 3);
}

/// Waits for `pid` to end, reading what it says (the first `room` bytes of it are kept). False when the time
/// is over.
bool follow(pid_t pid, int output, int timeout, char* text, std::size_t room, int& status) {
  const UniqueFd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  timespec start{}, now{};
  clock_gettime(CLOCK_MONOTONIC, &start);
  std::size_t kept = 0;
  for (bool reading = true;;) {
    int left = -1;
    if (timeout > 0) {
      clock_gettime(CLOCK_MONOTONIC, &now);
      const long long gone = (now.tv_sec - start.tv_sec) * 1000LL + (now.tv_nsec - start.tv_nsec) / 1000000;
      if (gone >= timeout * 1000LL) return false;
      left = static_cast<int>(timeout * 1000LL - gone);
    }
    // Its end counts, not that of its output: something that it leaves behind may hold that.
    pollfd fds[] = {{pidfd.get(), POLLIN, 0}, {reading ? output : -1, POLLIN, 0}};
    poll(fds, 2, left);
    if (fds[1].revents != 0) {
      char data[512];
      const ssize_t got = read(output, data, sizeof data);
      if (got <= 0) reading = false;
      const std::size_t more = got > 0 ? std::min(static_cast<std::size_t>(got), room - 1 - kept) : 0;
      memcpy(text + kept, data, more);
      kept += more;
      text[kept] = '\0';
      if (got > 0) continue;
    }
    if (fds[0].revents != 0 || !pidfd) {
      while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
      return true;
    }
  }
}

}  // namespace

Hooks::Hooks(const char* point, std::vector<Hook> hooks, HookState state)
    : point_(point), state_(std::move(state)) {
  hooks_.reserve(hooks.size());
  for (Hook& hook : hooks) {
    Prepared& prepared = hooks_.emplace_back(Prepared{std::move(hook), {}, {}});
    if (prepared.hook.args.empty()) prepared.hook.args.push_back(prepared.hook.path);
    for (std::string& text : prepared.hook.args) prepared.argv.push_back(text.data());
    for (std::string& text : prepared.hook.env) prepared.envp.push_back(text.data());
    prepared.argv.push_back(nullptr);
    prepared.envp.push_back(nullptr);
  }
}

Hooks::Outcome Hooks::runOne(const Prepared& prepared, int pid, char* message, std::size_t room) const {
  int input[2], output[2];
  if (pipe2(input, O_CLOEXEC) < 0) return {errno, "pipe"};
  UniqueFd inputEnd(input[0]), inputSource(input[1]);
  if (pipe2(output, O_CLOEXEC) < 0) return {errno, "pipe"};
  UniqueFd outputEnd(output[0]), outputSource(output[1]);
  const std::size_t size = state_.head.size() + state_.tail.size() + 16;
  if (size > kUsualPipe) fcntl(input[1], F_SETPIPE_SZ, static_cast<int>(size));
  // The state is in the pipe before anybody reads it, so a hook that reads late cannot hold us up.
  fcntl(input[1], F_SETFL, O_NONBLOCK);
  feed(input[1], state_, pid);
  inputSource.reset();
  const pid_t child = fork();
  if (child < 0) return {errno, "fork"};
  if (child == 0)
    become(input[0], output[1], prepared.hook.path.c_str(), prepared.argv.data(), prepared.envp.data());
  inputEnd.reset();
  outputSource.reset();

  char text[256] = "";
  int status = 0;
  if (!follow(child, outputEnd.get(), prepared.hook.timeout, text, sizeof text, status)) {
    kill(child, SIGKILL);
    while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) continue;
    std::snprintf(message, room, "%s: error running hook: it took longer than %d s", point_,
                  prepared.hook.timeout);
    return {ETIMEDOUT, message};
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  for (char* at = text; *at != '\0'; ++at)
    if (*at == '\n') *at = ' ';
  const char* said = text[0] != '\0' ? ": " : "";
  if (WIFSIGNALED(status)) {
    char name[64];
    std::snprintf(name, sizeof name, "%s", sigdescr_np(WTERMSIG(status)));
    if (name[0] >= 'A' && name[0] <= 'Z') name[0] = static_cast<char>(name[0] + ('a' - 'A'));
    std::snprintf(message, room, "%s: error running hook: %s%s%s", point_, name, said, text);
  } else {
    std::snprintf(message, room, "%s: error running hook: exit code %d%s%s", point_, WEXITSTATUS(status),
                  said, text);
  }
  return {0, message};
}

void Hooks::run(int pid, Report& report) const {
  if (hooks_.empty()) return;
  report.step(step::kHook);
  char message[kMessage];
  for (const Prepared& prepared : hooks_) {
    const Outcome outcome = runOne(prepared, pid, message, sizeof message);
    if (!outcome.ok()) report.die(outcome.error, prepared.hook.path.c_str(), outcome.detail);
  }
}

std::vector<Failure> Hooks::runAll(int pid) const {
  std::vector<Failure> failures;
  char message[kMessage];
  for (const Prepared& prepared : hooks_) {
    const Outcome outcome = runOne(prepared, pid, message, sizeof message);
    if (!outcome.ok()) failures.emplace_back(step::kHook, outcome.error, prepared.hook.path, outcome.detail);
  }
  return failures;
}

void Hooks::run(int pid) const {
  char message[kMessage];
  for (const Prepared& prepared : hooks_) {
    const Outcome outcome = runOne(prepared, pid, message, sizeof message);
    if (!outcome.ok()) throw Failure(step::kHook, outcome.error, prepared.hook.path, outcome.detail);
  }
}

}  // namespace tsrun
