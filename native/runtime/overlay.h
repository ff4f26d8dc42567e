#pragma once
#include <string>

#include "base/unique_fd.h"
#include "runtime/launch.h"
#include "runtime/report.h"

namespace tsrun {

/// Throws Failure when the plan is one that the kernel cannot take (no lower directory, more than 999).
void checkOverlay(const Launch::Overlay& overlay);

/// Mounts the container's overlay in the caller's own mount namespace, over its upper directory, and returns
/// the O_PATH fd of its root. For the child: allocates nothing, a failure ends the process.
///
/// With `ids`, an fd of a user namespace, all layers are seen with their ids mapped by it: what is written in
/// there has the container's own ids on the disk. Needs the rights of the host.
UniqueFd mountOverlay(const Launch::Overlay& overlay, Report& report, int ids = -1);

/// The root of an OCI bundle: `path` as a mount of its own, over itself.
UniqueFd mountBundleRoot(const std::string& path, Report& report);

}  // namespace tsrun
