#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>

#include "helper/args.h"
#include "helper/process.h"
#include "helper/session.h"
#include "helper/verbs.h"
#include "runtime/file.h"
#include "runtime/records.h"
#include "runtime/selfexe.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

std::string realPath(const std::string& path) {
  char resolved[PATH_MAX];
  if (realpath(path.c_str(), resolved) == nullptr) fail(step::kHelperConfig, path);
  return resolved;
}

}  // namespace

int execVerb(int argc, char** argv) {
  int reportFd = -1;
  try {
    // The order is that of monitorVerb, for its reasons. This one goes to a container that has had time to
    // prepare.
    resetSignals();
    sealFds();
    const Args args(argc, argv);
    reportFd = args.fd("report");
    const int attachFd = args.fd("attach"), processFd = args.fd("process");
    if (processFd < 0) throw Failure(step::kUsage, EINVAL, "--process", "is missing");
    const std::string dir = realPath(args.required("dir"));
    umask(022);
    prctl(PR_SET_DUMPABLE, 0);
    keepFds({reportFd, attachFd, processFd});
    protectSelf(argv - 2);
    prctl(PR_SET_DUMPABLE, 0);
    sealFds();

    UniqueFd report(reportFd), attach(attachFd), process(processFd);
    detach();
    releaseStdio();
    chdir("/");
    setTitle(argv - 2, "tsrun:[exec]", "tsrun:[exec] " + dir.substr(dir.rfind('/') + 1, 12));
    blockSignals();
    return Session(dir, std::move(process), std::move(report), std::move(attach)).run();
  } catch (const Failure& failure) {
    Report(reportFd).failed(failure);
    const std::string line = failureLine(failure);
    writeAll(STDERR_FILENO, line.data(), line.size());
    return 1;
  }
}

}  // namespace tsrun
