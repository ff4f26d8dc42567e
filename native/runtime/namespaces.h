#pragma once
#include <vector>

#include "base/unique_fd.h"
#include "runtime/launch.h"
#include "runtime/report.h"
#include "runtime/spec.h"

namespace tsrun {

/// Which namespaces of the spec are new, and which exist already and are joined.
class Namespaces {
 public:
  /// Opens those to join. Throws Failure(step::kClone) for what is not supported (the path of a pid, user or
  /// mount namespace) and when the mount namespace is not a new one: nothing may be mounted on the host;
  /// Failure(step::kJoin, ESRCH) if a container of `join` does not run.
  Namespaces(const Spec& spec, const Launch::Join& join);

  /// For clone3: the new ones, without the cgroup namespace, whose root is the cgroup that the child is in
  /// when it unshares.
  unsigned long long cloneFlags() const { return flags_; }
  bool newUts() const;
  /// The pid namespace of another container, or -1. One enters it by being born in it.
  int pids() const { return pids_.get(); }
  /// The mount namespace of the container whose ipc namespace is joined, for its /dev/shm; or -1.
  int mountsOfIpc() const { return mountsOfIpc_.get(); }

  void join(Report& report);
  /// After the monitor has put the child into its cgroup (on v1 it can only be done from outside).
  void enterCgroupNamespace(Report& report) const;

 private:
  struct Existing {
    UniqueFd fd;
    std::string path;
    int type;
  };
  unsigned long long flags_ = 0;
  bool newCgroup_ = false;
  std::vector<Existing> existing_;
  UniqueFd pids_, mountsOfIpc_;
};

/// For as long as it lives, processes that this one makes are born in the pid namespace `fd`; -1 = in our
/// own. Only a single-threaded process can do that.
class BornIn {
 public:
  /// Throws Failure(step::kJoin).
  explicit BornIn(int fd);
  ~BornIn();
  BornIn(const BornIn&) = delete;
  BornIn& operator=(const BornIn&) = delete;
  /// Back to our own. Throws Failure(step::kJoin).
  void leave();

 private:
  UniqueFd own_;
};

}  // namespace tsrun
