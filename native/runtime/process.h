#pragma once
#include <optional>
#include <string>

#include "base/unique_fd.h"
#include "runtime/caps.h"
#include "runtime/child.h"
#include "runtime/exec.h"
#include "runtime/hooks.h"
#include "runtime/labels.h"
#include "runtime/launch.h"
#include "runtime/report.h"
#include "runtime/rlimits.h"
#include "runtime/scheduling.h"
#include "runtime/seccomp.h"
#include "runtime/spec.h"
#include "runtime/user.h"

namespace tsrun {

/// What turns a process inside a container into the user's program: one code path for whoever enters one, so
/// that no entry grants more than another (CVE-2022-29162).
class ProcessSetup {
 public:
  ProcessSetup(const Spec& spec, const Launch& launch);

  /// It runs in a user namespace, from which some things of the host's cannot be changed.
  void enterUserNamespace() { inUser_ = true; }

  /// Makes the working directory if it is missing; before the root becomes read-only.
  void ensureCwd(int root, Report& report) const;

  /// Everything from the user to execve. `root` is "/", `proc` a procfs of our own; both are closed here.
  /// fds.sync is checked at the end: if its other side is gone, the monitor is, and so goes this process.
  [[noreturn]] void enter(UniqueFd root, UniqueFd proc, const ChildFds& fds, Report& report);

 private:
  bool changeToCwd(int root, Report& report) const;
  void setOomScore(int proc, Report& report) const;
  void joinKeyring(Report& report) const;
  void becomeUser(const Identity& identity, Report& report) const;
  void checkCwd(Report& report) const;
  void waitAtGate(const ChildFds& fds, Report& report) const;

  std::string cwd_, keyring_;
  bool createCwd_, ownKeyring_, noNewPrivileges_, inUser_ = false;
  unsigned umask_;
  std::optional<int> oomScoreAdj_;
  User user_;
  Rlimits rlimits_;
  Scheduling scheduling_;
  Confinement confinement_;
  Capabilities capabilities_;
  SeccompFilter seccomp_;
  Program program_;
  Hooks startHooks_;
};

/// Of a child of ours in a user namespace, which cannot do it by itself. Throws Failure(step::kOom).
void setOomScoreOf(pid_t pid, int score);

}  // namespace tsrun
