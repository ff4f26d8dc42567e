#pragma once
#include <sys/types.h>

#include "base/unique_fd.h"

namespace tsrun::oci {

/// Stays with a child until it ends: passes signals on to it and, with the master of its terminal, what is
/// typed and shown. Returns its exit code, 128 + number for a signal.
class Foreground {
 public:
  /// Blocks signals, so that none is lost before follow(); to be made before the child runs.
  Foreground();
  int follow(pid_t pid, UniqueFd terminal);

 private:
  UniqueFd signals_;
};

}  // namespace tsrun::oci
