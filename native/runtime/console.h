#pragma once
#include <optional>

#include "base/unique_fd.h"
#include "runtime/child.h"
#include "runtime/launch.h"
#include "runtime/report.h"

namespace tsrun {

/// A new session and the process's fds 0, 1 and 2: with a terminal a pty of the container's own devpts (whose
/// master goes to the monitor over fds.sync, and whose slave is also /dev/console), without one the fds
/// given. Runs after pivot_root; `root` is "/".
void setUpStdio(const ChildFds& fds, bool terminal, const std::optional<Launch::Size>& size, int root,
                Report& report);

/// Gives fds 0-2 to `uid` where they are pipes or the terminal, so that /dev/stdout can be opened by name.
/// Files and devices of the host keep their owner.
void giveStdio(unsigned uid, Report& report);

}  // namespace tsrun
