#pragma once
#include <functional>

#include "runtime/report.h"

namespace tsrun {

/// Runs `body` in a process of its own that shares this one's memory and fds, in a mount namespace of its own
/// that ends with it: where mounts can be put together with the rights of the host, before the container's
/// process, which has them no more in its user namespace, takes them by fd. This process waits meanwhile.
/// What `body` reports as its death is thrown as Failure.
void runStage(const std::function<void(Report&)>& body);

}  // namespace tsrun
