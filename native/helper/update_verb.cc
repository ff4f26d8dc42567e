#include <sys/prctl.h>
#include <unistd.h>

#include "base/failure.h"
#include "helper/args.h"
#include "helper/process.h"
#include "helper/verbs.h"
#include "runtime/cgroup.h"
#include "runtime/file.h"
#include "runtime/records.h"
#include "runtime/spec.h"

namespace tsrun {

int updateVerb(int argc, char** argv) {
  resetSignals();
  prctl(PR_SET_DUMPABLE, 0);
  try {
    sealFds();
    const Spec spec = readSpec(Args(argc, argv).required("dir") + "/config.json");
    Cgroup::open(spec.cgroupsPath).update(spec.resources);
    constexpr char kDone[] = "{\"ok\":{}}\n";
    writeAll(STDERR_FILENO, kDone, sizeof kDone - 1);
    return 0;
  } catch (const Failure& failure) {
    const std::string line = failureLine(failure);
    writeAll(STDERR_FILENO, line.data(), line.size());
    return 1;
  }
}

}  // namespace tsrun
