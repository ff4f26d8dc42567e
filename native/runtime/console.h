#pragma once
#include <optional>

#include "base/unique_fd.h"
#include "runtime/child.h"
#include "runtime/launch.h"
#include "runtime/report.h"

namespace tsrun {

/// Whether the terminal is also the container's /dev/console: that of its first process is.
enum class Console { bind, none };

/// A new session and the process's fds 0, 1 and 2: with a terminal a pty of the container's own devpts (whose
/// master goes to the monitor over fds.sync, and whose slave may also be /dev/console), without one the fds
/// given. Runs after pivot_root; `root` is "/".
void setUpStdio(const ChildFds& fds, bool terminal, const std::optional<Launch::Size>& size, int root,
                Console console, Report& report);

/// Gives fds 0-2 to `uid` where they are pipes or the terminal, so that /dev/stdout can be opened by name.
/// Files and devices of the host keep their owner; so do, for who is in a user namespace, pipes of somebody
/// whose ids it does not have.
void giveStdio(unsigned uid, bool inUser, Report& report);

/// Gives the pipes among `fds` to a user of the host. Throws Failure(step::kConsole).
void givePipes(const ChildFds& fds, unsigned uid);

}  // namespace tsrun
