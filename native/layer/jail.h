#pragma once
#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace tsrun {

enum class JailMode {
  apply,  ///< the root is written to
  read,   ///< the root is read only
};

struct Jail {
  UniqueFd root;
  std::vector<UniqueFd> lowers;  ///< each the root of a read-only mount of its own: not even `..` leads out
};

/// Locks the calling, still single-threaded process up before it looks at the first hostile byte: own mount,
/// network, ipc and uts namespaces; `root` is `/` and nothing else is mounted; no new privileges, no cores,
/// bounded memory, a handful of capabilities, and only the system calls that the work needs. Threads started
/// later inherit all of it. Throws Failure(step::kLayerJail).
Jail enterJail(const std::string& root, const std::vector<std::string>& lowers, JailMode mode);

}  // namespace tsrun
