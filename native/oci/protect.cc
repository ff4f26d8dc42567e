#include "oci/protect.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/failure.h"
#include "helper/process.h"
#include "runtime/selfexe.h"
#include "runtime/steps.h"

namespace tsrun::oci {

void protectProcess(const Context& context) {
  protectSelf(context.argv);
  prctl(PR_SET_DUMPABLE, 0);
}

void sealProcess(unsigned preserved) {
  resetSignals();
  // A caller that has gone is no reason to leave a container half made.
  signal(SIGPIPE, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
  std::vector<int> flags;
  for (unsigned i = 0; i < preserved; ++i) flags.push_back(fcntl(static_cast<int>(3 + i), F_GETFD));
  sealFds();
  for (unsigned i = 0; i < preserved; ++i)
    check(fcntl(static_cast<int>(3 + i), F_SETFD, flags[i] & ~FD_CLOEXEC), step::kHelperProtect,
          "preserved fd");
}

}  // namespace tsrun::oci
