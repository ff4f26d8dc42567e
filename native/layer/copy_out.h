#pragma once
#include <cstdint>
#include <string>

#include "layer/copy_path.h"

namespace tsrun {

struct CopyOutResult {
  std::uint64_t tarSize = 0, entries = 0, skippedSockets = 0;
};

/// Writes the archive of one file or tree to `fd`, as it is seen from here: no name in it means more than a
/// file, and what is mounted below is part of it. The thing itself is called `name`; without one it must be a
/// directory, and is the root of the archive, without an entry of its own. Files that vanish meanwhile are
/// left out. Times are whole seconds, as in Docker's archives. Throws Failure.
CopyOutResult copyOut(const CopyPath& from, const std::string& name, int fd);

}  // namespace tsrun
