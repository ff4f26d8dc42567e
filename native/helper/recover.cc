#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <optional>

#include "base/failure.h"
#include "base/unique_fd.h"
#include "helper/args.h"
#include "helper/conclude.h"
#include "helper/process.h"
#include "helper/verbs.h"
#include "runtime/clock.h"
#include "runtime/file.h"
#include "runtime/ledger.h"
#include "runtime/lock.h"
#include "runtime/records.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

constexpr int kKilled = 137;

/// The exit record of a run whose monitor died, unless it got as far as writing it.
void recordLoss(const std::string& dir, const std::string& id, bool durable) {
  const auto started = startedAtOf(dir, "state");
  if (!started || startedAtOf(dir, "exit") == started) return;
  ExitRecord exit;
  exit.exitCode = kKilled;
  exit.startedAt = *started;
  exit.finishedAt = rfc3339Now();
  exit.error = Failure("monitor", 0, id, "monitor lost");
  writeExit(dir, exit, durable);
}

/// Launch data, or nothing if it cannot be read: recovery must also work for a broken container.
std::optional<Launch> tryReadLaunch(const std::string& dir) {
  try {
    return readLaunch(dir + "/launch.json");
  } catch (const Failure&) {
    return std::nullopt;
  }
}

/// True if there was something to do.
bool recover(const std::string& dir) {
  UniqueFd lock(open((dir + "/lock").c_str(), O_RDWR | O_CLOEXEC));
  if (!lock) {
    if (errno == ENOENT) return false;  // removed, or never started
    fail(step::kHelperLock, dir + "/lock");
  }
  // A start, a commit or another recovery goes first; then the answer may be that nothing is left to do.
  lockByte(lock.get(), kOperationByte, true);
  if (isByteHeld(lock.get(), kMonitorByte)) return false;
  const bool died =
      access((dir + "/ledger").c_str(), F_OK) == 0 || access((dir + "/state").c_str(), F_OK) == 0;
  if (!died) return false;

  const auto launch = tryReadLaunch(dir);
  const bool removes = launch && launch->autoRemove;
  // Before the ledger is gone: a recovery that is killed in between is done again.
  recordLoss(dir, launch ? launch->id : dir.substr(dir.rfind('/') + 1), !removes);
  Ledger::releaseAll(dir);
  removeFile(dir + "/sock", step::kRecord);
  removeFile(dir + "/state", step::kRecord);
  if (removes) removeContainer(dir, *launch);
  return true;
}

std::string absolute(const std::string& path) {
  char* resolved = realpath(path.c_str(), nullptr);
  if (resolved == nullptr) return path;
  std::string result = resolved;
  free(resolved);
  return result;
}

}  // namespace

int recoverVerb(int argc, char** argv) {
  resetSignals();
  prctl(PR_SET_DUMPABLE, 0);
  try {
    sealFds();
    const bool done = recover(absolute(Args(argc, argv).required("dir")));
    const std::string line = std::string("{\"ok\":{\"recovered\":") + (done ? "true" : "false") + "}}\n";
    writeAll(STDERR_FILENO, line.data(), line.size());
    return 0;
  } catch (const Failure& failure) {
    const std::string line = failureLine(failure);
    writeAll(STDERR_FILENO, line.data(), line.size());
    return 1;
  }
}

}  // namespace tsrun
