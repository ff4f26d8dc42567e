#pragma once
#include <memory>

#include "runtime/launch.h"
#include "runtime/report.h"
#include "runtime/spec.h"

namespace tsrun {

/// fds the monitor hands to the child it clones.
struct ChildFds {
  int in = -1, out = -1, err = -1;  ///< the process's 0, 1 and 2; unused with a terminal
  /// SOCK_SEQPACKET to the monitor: one byte `go` comes in after cgroup and network are ready; with a
  /// terminal, the pty master goes out as one SCM_RIGHTS message. End of file on it means that the monitor
  /// died.
  int sync = -1;
};

/// Everything the child needs, computed before clone3 so that nothing is allocated after it: mount plan,
/// argv, envp, seccomp program, capability masks, rlimits, host-side directory fds.
class PreparedChild {
 public:
  /// `containerDir` holds hosts, hostname, resolv.conf. Throws Failure.
  static std::unique_ptr<PreparedChild> prepare(const Spec& spec, const Launch& launch,
                                                const std::string& containerDir);
  virtual ~PreparedChild() = default;

  /// Flags for clone3: the new namespaces of the spec except cgroup and user (which the child enters by
  /// itself).
  virtual unsigned long long cloneFlags() const = 0;
  /// The pid namespace that the process must be born in, or -1.
  virtual int pidNamespace() const = 0;

  /// Runs in the new process, PID 1 of its pid namespace: waits for `go`, then cgroup ns, mounts, copy-up,
  /// pivot, devices, masks, hostname, sysctls, rlimits, user, caps, seccomp, exec. Reports each step; never
  /// returns.
  [[noreturn]] virtual void run(const ChildFds& fds, Report& report) = 0;
};

}  // namespace tsrun
