#include "runtime/entry.h"

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "runtime/steps.h"

namespace tsrun {

void resetChildSignals() {
  for (int number = 1; number < _NSIG; number++) signal(number, SIG_DFL);
  // Until execve: a report that nobody reads must not end the start.
  signal(SIGPIPE, SIG_IGN);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

void waitForGo(int sync, Report& report) {
  report.step(step::kWaitGo);
  char byte;
  ssize_t got;
  do got = recv(sync, &byte, 1, 0);
  while (got < 0 && errno == EINTR);
  if (got < 0) report.die("sync socket");
  if (got == 0) _exit(1);  // the monitor is gone, and nobody listens
}

}  // namespace tsrun
