#pragma once
#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace tsrun {

enum class JailMode {
  apply,    ///< a layer is written, overlayfs' own attributes included
  read,     ///< a layer is read, all of its attributes included
  copyIn,   ///< files are written as any program could
  copyOut,  ///< files are read as any program could
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

/// The same for one directory with all that is mounted below it. Returns the root.
UniqueFd enterTreeJail(const std::string& root, JailMode mode);

/// The parts of the above, for a root that is put together elsewhere. First: nobody else sees what is mounted
/// from here on, and nothing mounted elsewhere appears.
void isolateMounts();
/// Last: the mount at `/` and those below it lose devices, programs and (copyOut) writing, and the process is
/// locked up. Returns the root.
UniqueFd lockUp(JailMode mode);

}  // namespace tsrun
