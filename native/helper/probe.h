#pragma once
#include <string>

#include "base/unique_fd.h"

namespace tsrun {

/// A process of this executable that runs the health check of a container once, as `exec` does, and reports:
/// {"exit": code, "output": text} as its last record, or {"fail": …}.
struct Probe {
  UniqueFd pidfd;
  UniqueFd report;  ///< does not block

  /// `lock` is the fd of the monitor's lock, which no copy may outlive. Throws Failure(step::kClone).
  static Probe start(const std::string& dir, int lock);

  /// SIGTERM: it kills what it runs, reports and ends, however long the kernel takes for that.
  void cancel() const;
};

/// True if the process of `pidfd` is no longer there.
bool hasEnded(const UniqueFd& pidfd);

}  // namespace tsrun
