#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/report.h"
#include "runtime/spec.h"

namespace tsrun {

/// All that are known, without "CAP_", by number.
std::vector<std::string> capabilityNames();

/// Capability sets as bit masks, and the three moments at which they are set.
class Capabilities {
 public:
  /// Throws Failure(step::kCaps) for an unknown name. Without sets in the spec nothing is changed.
  explicit Capabilities(const Spec::Process& process);

  /// Drops everything outside the bounding set; needs CAP_SETPCAP, so it comes before the change of user.
  void limit(Report& report) const;
  /// Keeps the permitted set across setuid, for `apply`.
  void keepAcrossSetuid(Report& report) const;
  /// The final sets. For another user than root only ambient capabilities stay in effect until execve, which
  /// would take the others away in any case: looking the program up must not happen with root's rights.
  void apply(unsigned uid, Report& report) const;

 private:
  bool given_ = false;
  std::uint64_t bounding_ = 0, effective_ = 0, permitted_ = 0, inheritable_ = 0, ambient_ = 0;
};

}  // namespace tsrun
