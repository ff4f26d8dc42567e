#pragma once
#include <sys/types.h>

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

  // Of a container without a monitor (an OCI runtime's): its processes outlive who makes them.
  bool orphan = false;
  unsigned preserved = 0;  ///< so many fds from 3 up stay open in the program
  /// A fifo: the program waits for a byte from it. Before that it says kReady on `sync`, and gets a byte
  /// there when everything around it is settled. -1 = it starts at once.
  int gate = -1;
  int started = -1;  ///< with a gate: where records go once it has opened
};

/// What a child says on `sync` before it loads a filter that notifies: whoever made it calls passListener
/// (seccomp_listener.h) and then answers with one byte.
inline constexpr char kListener = 'l';
/// What an orphan's child says on `sync`, one byte each; the answer to the first two is one byte.
inline constexpr char kHooksPlease = 'h';  ///< the mounts are made: run prestart and createRuntime
inline constexpr char kReady = 'r';        ///< it waits at its gate, as soon as that is answered
inline constexpr char kTerminal = 't';     ///< comes with the master of the terminal

/// Everything the child needs, computed before clone3 so that nothing is allocated after it: mount plan,
/// argv, envp, seccomp program, capability masks, rlimits, host-side directory fds.
class PreparedChild {
 public:
  /// `containerDir` holds hosts, hostname, resolv.conf. Throws Failure.
  static std::unique_ptr<PreparedChild> prepare(const Spec& spec, const Launch& launch,
                                                const std::string& containerDir);
  virtual ~PreparedChild() = default;

  /// Flags of clone3 for the new namespaces of the spec, but those that the process makes itself (cgroup,
  /// time).
  virtual unsigned long long cloneFlags() const = 0;

  /// As fork: makes the process in its namespaces, a child of ours, and returns 0 in it, where run() must
  /// follow. `cgroup` is for CLONE_INTO_CGROUP, or -1. What of `fds` is a pipe comes to belong to the
  /// container's root. Throws Failure.
  virtual pid_t clone(const ChildFds& fds, int cgroup, int* pidfd) = 0;

  /// What only its maker can do to the process, before `go`: the id maps of its user namespace. Throws
  /// Failure.
  virtual void admit(pid_t pid) = 0;

  /// Runs in the new process, PID 1 of its pid namespace: waits for `go`, then cgroup ns, mounts, copy-up,
  /// pivot, devices, masks, hostname, sysctls, rlimits, user, caps, seccomp, exec. Reports each step; never
  /// returns.
  [[noreturn]] virtual void run(const ChildFds& fds, Report& report) = 0;
};

}  // namespace tsrun
