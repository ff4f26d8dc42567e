#pragma once
#include "base/unique_fd.h"
#include "runtime/report.h"

namespace tsrun {

/// A procfs of our own that nobody else can see or cover: what is read and written through it reaches the
/// kernel, whatever the container has at /proc (CVE-2019-16884, CVE-2025-52881). The kind of file system is
/// checked.
///
/// It is attached at `scratch`, an fd of a host directory, and so leaves the namespace together with the
/// host's tree: closing a mount that was never attached makes the kernel wait for all CPUs (1 to 2 ms) once
/// more. In a namespace whose host tree is gone `scratch` is -1, and it is not attached. Where the pid
/// namespace is of somebody else's user namespace the kernel mounts none; then it is the host's.
UniqueFd openOwnProc(int scratch, Report& report);

}  // namespace tsrun
