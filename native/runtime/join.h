#pragma once
#include <sched.h>
#include <sys/types.h>

#include <string>

#include "base/failure.h"
#include "base/unique_fd.h"
#include "runtime/child.h"
#include "runtime/process.h"
#include "runtime/scheduling.h"

namespace tsrun {

/// The first process of a running container, found so that it cannot be taken for another: its pid may have
/// been given to somebody else since it was written down.
class RunningContainer {
 public:
  /// Throws Failure: ESRCH if the container of `dir` does not run.
  RunningContainer(const std::string& dir, const Spec& spec);
  /// Of one without a monitor: `pidfd` is known to be its first process. Throws Failure: ESRCH if that has
  /// ended.
  RunningContainer(const std::string& name, pid_t pid, UniqueFd pidfd);

  int pidfd() const { return pidfd_.get(); }
  pid_t pid() const { return pid_; }
  /// For setns: the namespaces in which it is not where we are.
  int namespaces() const { return namespaces_; }
  /// `name` as below /proc/<pid>/ns. Throws Failure: ESRCH if it has ended since.
  UniqueFd openNamespace(const char* name) const;

 private:
  void look();

  std::string dir_;
  pid_t pid_;
  UniqueFd pidfd_;
  int namespaces_ = 0;
};

/// Failure(step::kJoin, ESRCH) of the container of `dir`.
Failure notRunning(const std::string& dir);

/// One more process in a running container.
class Joiner {
 public:
  Joiner(const RunningContainer& container, const Spec& spec, const Launch& launch);

  /// Runs in a fork of the session, when that has put it into the cgroup and sent `go`: enters all namespaces
  /// at once and makes the process, as a child of the session, in them. Its host pid goes out over fds.sync
  /// as one message (pid_t), and it waits there for a `go` of its own.
  [[noreturn]] void run(const ChildFds& fds, Report& report);

  // By whoever makes the process, for one with a user namespace. Throw Failure.
  /// What of `fds` is a pipe comes to belong to the container's root. Before the process is made.
  void givePipes(const ChildFds& fds) const;
  /// Before `go`.
  void admit(pid_t pid) const;

 private:
  bool inUser() const { return (namespaces_ & CLONE_NEWUSER) != 0; }
  [[noreturn]] void runInside(const ChildFds& fds, Report& report);

  int pidfd_, namespaces_;
  bool terminal_;
  std::optional<Launch::Size> consoleSize_;
  std::optional<unsigned> rootUid_;
  std::optional<int> oomScoreAdj_;
  CpuSet initialCpus_, finalCpus_;  ///< on the way into the cgroup, and from then on
  ProcessSetup process_;
};

}  // namespace tsrun
