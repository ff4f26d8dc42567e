#include <malloc.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>

#include "helper/args.h"
#include "helper/monitor.h"
#include "helper/process.h"
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

int monitorVerb(int argc, char** argv) {
  int reportFd = -1;
  try {
    // Order: nothing of the caller's may reach the container, so signals and fds come first; a process that
    // can be traced or whose file can be written must not exist once there is a container (CVE-2016-9962,
    // CVE-2019-5736).
    resetSignals();
    sealFds();
    const Args args(argc, argv);
    reportFd = args.fd("report");
    const int attachFd = args.fd("attach");
    const std::string dir = realPath(args.required("dir"));
    const std::string init = args.optional("init").value_or("");
    umask(022);
    prctl(PR_SET_DUMPABLE, 0);
    keepFds({reportFd, attachFd});
    protectSelf(wholeArgv(argv));
    sealFds();  // the kept ones again: we are the program that has them now

    UniqueFd report(reportFd), attach(attachFd);
    detach();
    releaseStdio();
    chdir("/");
    setTitle(wholeArgv(argv), "tsrun:[monitor]", "tsrun:[monitor] " + dir.substr(dir.rfind('/') + 1, 12));
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    blockSignals();
    // Fixed, where malloc would adapt them: buffers that grew for a slow client go back to the kernel when it
    // has read.
    mallopt(M_MMAP_THRESHOLD, 64 << 10);
    mallopt(M_TRIM_THRESHOLD, 64 << 10);
    return Monitor(dir, std::move(report), std::move(attach), init).run();
  } catch (const Failure& failure) {
    Report(reportFd).failed(failure);
    const std::string line = failureLine(failure);
    writeAll(STDERR_FILENO, line.data(), line.size());
    return 1;
  }
}

}  // namespace tsrun
