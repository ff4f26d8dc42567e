#pragma once
#include <linux/filter.h>

#include <vector>

#include "runtime/report.h"
#include "runtime/spec.h"

namespace tsrun {

/// The system call filter of a container's process.
class SeccompFilter {
 public:
  SeccompFilter() = default;  ///< no filter
  /// Compiles it; throws Failure(step::kSeccomp).
  explicit SeccompFilter(const Spec::Seccomp& profile);

  /// Puts it in force for good. Needs no_new_privs or CAP_SYS_ADMIN. If it notifies, the other side of `sync`
  /// is told (kListener) and takes the listener out of this process before it goes on (seccomp_listener.h).
  void load(int sync, Report& report) const;

 private:
  void awaitListener(int sync, Report& report) const;

  std::vector<sock_filter> program_;
  unsigned flags_ = 0;
  bool flagsGiven_ = false, notifies_ = false;
};

}  // namespace tsrun
