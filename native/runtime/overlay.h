#pragma once
#include <string>

#include "base/unique_fd.h"
#include "runtime/launch.h"
#include "runtime/report.h"

namespace tsrun {

/// A user namespace and who its root is on the host.
struct MappedIds {
  int userNamespace = -1;  ///< -1 = nothing is mapped
  unsigned uid = 0, gid = 0;
};

/// Throws Failure when the plan is one that the kernel cannot take (no lower directory, more than 999).
void checkOverlay(const Launch::Overlay& overlay);

/// Mounts the container's overlay in the caller's own mount namespace, over its upper directory, and returns
/// the O_PATH fd of its root. For the child: allocates nothing, a failure ends the process.
///
/// With `ids` all layers are seen with their ids mapped: what is written in there has the container's own ids
/// on the disk. Needs the rights of the host.
UniqueFd mountOverlay(const Launch::Overlay& overlay, Report& report, const MappedIds& ids = {});

/// The root of an OCI bundle: `path` as a mount of its own, over itself.
UniqueFd mountBundleRoot(const std::string& path, Report& report);

}  // namespace tsrun
