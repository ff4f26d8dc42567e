#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "runtime/report.h"
#include "runtime/spec.h"

namespace tsrun {

/// What a mount of type "cgroup" shows: on v2 the one hierarchy; on v1 and hybrid machines a tmpfs with one
/// directory per hierarchy, each rooted at the container's own cgroup.
class CgroupView {
 public:
  /// Looks at this machine's hierarchies (once, before clone3).
  void prepare(const Spec& spec);

  /// True where one cgroup2 mount is the whole view.
  bool unified() const { return unified_; }

  /// The detached mount of a whole view on v2.
  UniqueFd makeUnified(std::uint64_t attributes, const char* destination, Report& report) const;

  /// Fills the tmpfs that is mounted at `directory` (an O_PATH fd of its root).
  void fill(int directory, std::uint64_t attributes, const char* destination, Report& report) const;

 private:
  struct Hierarchy {
    std::string name;                      ///< directory in the view
    std::vector<std::string> controllers;  ///< of v1; empty for v2
    std::vector<std::string> aliases;      ///< links "cpu" -> "cpu,cpuacct"
    std::string own;                       ///< the container's cgroup directory on the host
    bool v2 = false;
  };
  UniqueFd makeOne(const Hierarchy& hierarchy, std::uint64_t attributes, const char* destination,
                   Report& report) const;

  std::vector<Hierarchy> hierarchies_;
  bool unified_ = false;
  bool privateNamespace_ = false;
};

}  // namespace tsrun
