#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>

#include "helper/args.h"
#include "helper/journal.h"
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

/// What of an exec is known before anything is read.
struct Request {
  std::string dir;
  UniqueFd report, attach, process;
};

/// `reportFd` is set as soon as failures can be told there.
Request protect(int argc, char** argv, int& reportFd) {
  // The order is that of monitorVerb, for its reasons. This one goes to a container that has had time to
  // prepare.
  resetSignals();
  sealFds();
  const Args args(argc, argv);
  reportFd = args.fd("report");
  const int attachFd = args.fd("attach"), processFd = args.fd("process");
  const std::string dir = realPath(args.required("dir"));
  umask(022);
  prctl(PR_SET_DUMPABLE, 0);
  keepFds({reportFd, attachFd, processFd});
  protectSelf(wholeArgv(argv));
  prctl(PR_SET_DUMPABLE, 0);
  sealFds();
  return {dir, UniqueFd(reportFd), UniqueFd(attachFd), UniqueFd(processFd)};
}

void settle(char** argv, const char* name, const std::string& dir) {
  releaseStdio();
  chdir("/");
  setTitle(wholeArgv(argv), name, std::string(name) + " " + dir.substr(dir.rfind('/') + 1, 12));
  blockSignals();
}

int failed(int reportFd, const Failure& failure) {
  Report(reportFd).failed(failure);
  const std::string line = failureLine(failure);
  writeAll(STDERR_FILENO, line.data(), line.size());
  return 1;
}

}  // namespace

int execVerb(int argc, char** argv) {
  int reportFd = -1;
  try {
    Request request = protect(argc, argv, reportFd);
    if (!request.process) throw Failure(step::kUsage, EINVAL, "--process", "is missing");
    detach();
    settle(argv, "tsrun:[exec]", request.dir);
    Report(reportFd).step(step::kHelperConfig);
    ExecDocument document = readExecDocument(request.process.get(), request.dir);
    request.process.reset();
    return Session(request.dir, std::move(document), std::move(request.report), std::move(request.attach),
                   Session::Kind::kExec)
        .run();
  } catch (const Failure& failure) {
    return failed(reportFd, failure);
  }
}

/// Started by the monitor, whose child it stays.
int probeVerb(int argc, char** argv) {
  int reportFd = -1;
  try {
    Request request = protect(argc, argv, reportFd);
    settle(argv, "tsrun:[probe]", request.dir);
    Report(reportFd).step(step::kHelperConfig);
    ExecDocument document = probeDocument(request.dir);
    Journal::record(request.dir, document.launch, "exec_create: " + commandOf(document),
                    {{"execID", document.id}});
    return Session(request.dir, std::move(document), std::move(request.report), UniqueFd(),
                   Session::Kind::kProbe)
        .run();
  } catch (const Failure& failure) {
    return failed(reportFd, failure);
  }
}

}  // namespace tsrun
