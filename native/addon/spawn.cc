#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "addon/addon.h"
#include "base/unique_fd.h"

namespace tsrun::addon {
namespace {

struct FdPair {
  int child, parent;
};

/// Everything the new process needs, laid out before it exists: between vfork and execve it shares our memory
/// and may only make system calls.
struct Plan {
  const char* file;
  char** argv;
  char** envp;
  std::vector<FdPair> fds;  ///< sorted by `child`; 0, 1 and 2 are always there
  std::vector<int> high;    ///< scratch: each parent fd's copy above every child fd
  volatile int error = 0;   ///< written by the child
  const char* volatile syscall = "";
};

void resetSignals() {
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) sigaction(signal, &standard, nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

/// Node raises the soft limit to the hard one; the helper, and through it the container, gets the usual one
/// back.
void restoreFileLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = std::min<rlim_t>(1024, limit.rlim_max);
  setrlimit(RLIMIT_NOFILE, &limit);
}

bool placeFds(Plan& plan) {
  const int above = plan.fds.back().child + 1;
  // Two passes: a parent fd may have the number of another one's place in the child.
  for (std::size_t i = 0; i < plan.fds.size(); ++i) {
    plan.high[i] = fcntl(plan.fds[i].parent, F_DUPFD_CLOEXEC, above);
    if (plan.high[i] < 0) return false;
  }
  for (std::size_t i = 0; i < plan.fds.size(); ++i) {
    if (dup2(plan.high[i], plan.fds[i].child) < 0) return false;
  }
  // Whatever else Node has open goes, close-on-exec or not: Node marks only a first run of the fds it
  // inherited.
  for (std::size_t i = 0; i < plan.fds.size(); ++i) {
    const unsigned first = plan.fds[i].child + 1;
    const unsigned last = i + 1 < plan.fds.size() ? plan.fds[i + 1].child - 1 : ~0U;
    if (first <= last && close_range(first, last, 0) != 0) return false;
  }
  return true;
}

/// A function of its own, so that the child, which runs on this stack frame, cannot disturb the caller's
/// locals.
[[gnu::noinline]] pid_t start(Plan& plan) {
  sigset_t all, before;
  sigfillset(&all);
  // No handler of Node's may run in the child while it shares our memory.
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid = vfork();
  if (pid == 0) {
    resetSignals();
    restoreFileLimit();
    plan.syscall = "dup2";
    if (placeFds(plan)) {
      plan.syscall = "execve";
      execve(plan.file, plan.argv, plan.envp);
    }
    plan.error = errno;
    _exit(127);
  }
  const int error = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return pid;
}

std::vector<std::string> textsOf(const Napi::Value& value) {
  const Napi::Array array = value.As<Napi::Array>();
  std::vector<std::string> texts;
  for (std::uint32_t i = 0; i < array.Length(); ++i) texts.push_back(textOf(array.Get(i)));
  return texts;
}

std::vector<char*> pointersTo(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

Napi::Value spawn(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Object request = info[0].As<Napi::Object>();
  std::string file = textOf(request.Get("file"));
  std::vector<std::string> args = textsOf(request.Get("args"));
  std::vector<std::string> environment = textsOf(request.Get("env"));
  args.insert(args.begin(), file);
  std::vector<char*> argv = pointersTo(args), envp = pointersTo(environment);

  Plan plan;
  plan.file = file.c_str();
  plan.argv = argv.data();
  plan.envp = envp.data();
  const Napi::Array fds = request.Get("fds").As<Napi::Array>();
  for (std::uint32_t i = 0; i < fds.Length(); ++i) {
    const Napi::Object pair = fds.Get(i).As<Napi::Object>();
    const int child = intOf(pair.Get("child"));
    if (child < 0 || child > 1000) throw Napi::RangeError::New(env, "fds: child must be between 0 and 1000");
    plan.fds.push_back({child, intOf(pair.Get("parent"))});
  }
  UniqueFd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null) throwErrno(env, errno, "open", "/dev/null");
  for (int fd = 0; fd <= 2; ++fd) {
    const auto same = [fd](const FdPair& pair) { return pair.child == fd; };
    if (std::none_of(plan.fds.begin(), plan.fds.end(), same)) plan.fds.push_back({fd, null.get()});
  }
  std::sort(plan.fds.begin(), plan.fds.end(), [](FdPair a, FdPair b) { return a.child < b.child; });
  for (std::size_t i = 1; i < plan.fds.size(); ++i) {
    if (plan.fds[i].child == plan.fds[i - 1].child)
      throw Napi::RangeError::New(env, "fds: a child fd is given twice");
  }
  plan.high.resize(plan.fds.size());

  const pid_t pid = start(plan);
  if (pid < 0) throwErrno(env, errno, "vfork");
  if (plan.error != 0) {
    while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) continue;
    throwErrno(env, plan.error, plan.syscall, file);
  }
  return Napi::Number::New(env, pid);
}

Outcome waitFor(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return {errno, 0};
  }
  return {0, WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status)};
}

Napi::Value waitPid(const Napi::CallbackInfo& info) {
  const pid_t pid = intOf(info[0]);
  // Never -1 or a group: libuv would lose children of its own.
  if (pid <= 0) throw Napi::RangeError::New(info.Env(), "waitPid: not a process id");
  return inThread(
      info.Env(), "waitpid", std::to_string(pid), [pid] { return waitFor(pid); },
      [](Napi::Env env, int code) { return Napi::Number::New(env, code); });
}

}  // namespace

void initSpawn(Napi::Env env, Napi::Object exports) {
  exports.Set("spawn", Napi::Function::New(env, spawn, "spawn"));
  exports.Set("waitPid", Napi::Function::New(env, waitPid, "waitPid"));
}

}  // namespace tsrun::addon
