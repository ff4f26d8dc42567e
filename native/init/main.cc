/// The init of a container (`--init`): runs one program, passes signals on to it, reaps whatever is left to
/// PID 1, and ends with the program's exit code, or 128 + the signal that ended it.
/// Usage: docker-init -- PROGRAM [ARG]...
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

/// Signals of the init's own faults: blocked, they could not end it, and it would fault again for ever.
constexpr int kFaults[] = {SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGABRT, SIGTRAP, SIGSYS};

[[noreturn]] void runProgram(char** argv, const sigset_t& mask) {
  // A process group of its own, in front of the terminal if there is one: ^C reaches the program once, not
  // twice.
  setpgid(0, 0);
  signal(SIGTTOU, SIG_IGN);
  tcsetpgrp(STDIN_FILENO, getpgrp());
  signal(SIGTTOU, SIG_DFL);
  sigprocmask(SIG_SETMASK, &mask, nullptr);
  execvp(argv[0], argv);
  const int error = errno;
  dprintf(STDERR_FILENO, "docker-init: exec %s failed: %s\n", argv[0], strerror(error));
  _exit(error == ENOENT ? 127 : 126);
}

/// Reaps whatever has ended. True with `status` if the program is among it.
bool reap(pid_t program, int& status) {
  bool ended = false;
  int one = 0;
  for (pid_t pid; (pid = waitpid(-1, &one, WNOHANG)) > 0;) {
    if (pid != program) continue;
    status = one;
    ended = true;
  }
  return ended;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3 || strcmp(argv[1], "--") != 0) {
    dprintf(STDERR_FILENO, "usage: docker-init -- PROGRAM [ARG]...\n");
    return 1;
  }
  // In a shared pid namespace it is not PID 1, and orphans would pass it by.
  if (getpid() != 1) prctl(PR_SET_CHILD_SUBREAPER, 1);
  // Blocked, a signal is kept for sigwaitinfo; PID 1 would be spared it otherwise, as it has no handlers.
  sigset_t waited, before;
  sigfillset(&waited);
  for (const int fault : kFaults) sigdelset(&waited, fault);
  sigprocmask(SIG_SETMASK, &waited, &before);

  const pid_t program = fork();
  if (program < 0) {
    dprintf(STDERR_FILENO, "docker-init: fork: %s\n", strerror(errno));
    return 126;
  }
  if (program == 0) runProgram(argv + 2, before);

  for (int status = 0;;) {
    const int number = sigwaitinfo(&waited, nullptr);
    if (number < 0) continue;
    if (number != SIGCHLD) {
      kill(program, number);
    } else if (reap(program, status)) {
      return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }
  }
}
