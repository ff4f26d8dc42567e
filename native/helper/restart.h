#pragma once
#include <optional>

#include "runtime/launch.h"

namespace tsrun {

/// When a container that has ended by itself is started again: Docker's policies and Docker's back-off, 100
/// ms that double up to a minute, from the beginning after a run of ten seconds. Knows no clock.
class RestartBackoff {
 public:
  /// Milliseconds until the next start, or nothing if there is none. `ranMs` is how long the last run lived.
  std::optional<int> next(const Launch::Restart& policy, int exitCode, long long ranMs);
  /// How often `next` said when.
  unsigned count() const { return count_; }

 private:
  int delay_ = 0;
  unsigned count_ = 0;
};

}  // namespace tsrun
