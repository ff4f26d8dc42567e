#include "runtime/stage.h"

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "base/failure.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

constexpr std::size_t kStack = 1 << 20;  // untouched pages of it cost nothing

struct Stage {
  const std::function<void(Report&)>& body;
  std::optional<Failure> failure;
};

int runBody(void* argument) {
  Stage& stage = *static_cast<Stage*>(argument);
  Report report(stage.failure);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  report.step(step::kPropagation);
  if (unshare(CLONE_NEWNS) < 0) report.die("unshare");
  stage.body(report);
  return 0;
}

}  // namespace

void runStage(const std::function<void(Report&)>& body) {
  Stage stage{body, std::nullopt};
  void* const stack =
      mmap(nullptr, kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (stack == MAP_FAILED) fail(step::kClone, "stack");
  // VFORK: we stand still until it has ended, so nothing is ever changed by both. Its own working directory
  // and root (no CLONE_FS), as its mount namespace is its own.
  const pid_t pid = clone(runBody, static_cast<char*>(stack) + kStack,
                          CLONE_VM | CLONE_FILES | CLONE_VFORK | SIGCHLD, &stage);
  const int error = errno;
  int status = 0;
  if (pid > 0)
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  munmap(stack, kStack);
  if (pid < 0) throw Failure(step::kClone, error, "stage");
  if (stage.failure) throw *stage.failure;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    throw Failure(step::kMount, 0, "stage", "the process that prepared the mounts died");
}

}  // namespace tsrun
