#pragma once
#include "runtime/report.h"

/// The first moves of a process that was cloned for a container. Nothing here allocates.
namespace tsrun {

/// Nothing of the caller's signal state reaches the program (Node, for one, ignores SIGPIPE).
void resetChildSignals();

/// Waits for the one byte that says: all that must be done from outside is done. Ends the process if nobody
/// is left to send it.
void waitForGo(int sync, Report& report);

}  // namespace tsrun
