#pragma once
#include <vector>

#include "base/unique_fd.h"
#include "runtime/report.h"
#include "runtime/spec.h"

namespace tsrun {

/// Which namespaces of the spec are new, and which exist already and are joined.
class Namespaces {
 public:
  /// Opens those to join. Throws Failure(step::kClone) for what is not supported (an existing pid, user or
  /// mount namespace) and when the mount namespace is not a new one: nothing may be mounted on the host.
  explicit Namespaces(const Spec& spec);

  /// For clone3: the new ones, without the cgroup namespace, whose root is the cgroup that the child is in
  /// when it unshares.
  unsigned long long cloneFlags() const { return flags_; }
  bool newUts() const;

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
};

}  // namespace tsrun
