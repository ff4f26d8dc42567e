#pragma once
#include <string>

namespace tsrun {

/// How much of a container's file system is seen.
enum class View {
  files,   ///< its root and everything that the user has mounted; not /dev, /proc, /sys and the like
  rootfs,  ///< its root alone: where something is mounted, the stub below it
};

/// Makes `/` of this single-threaded process the file system of the container of `dir`, in a mount namespace
/// of its own: that of its first process while it runs, otherwise made as a start makes it, volumes filled
/// from the image included. The caller of the helper holds the container's operation byte, so nothing starts
/// meanwhile. Read-only is what is read-only for the container. Throws Failure (step namespaces.join with
/// ESRCH: it runs no longer); what goes wrong in the mounts is reported on fd 2 and ends the process.
void enterContainerView(const std::string& dir, View view);

}  // namespace tsrun
