#pragma once
#include <string>

#include "base/failure.h"
#include "runtime/launch.h"

namespace tsrun {

/// Exit code of a start that failed, as Docker records it: 127 if the program is not there, 126 if it cannot
/// be executed, 128 for whatever went wrong before that.
int exitCodeOf(const Failure& failure);
/// Exit code of a process from its wait status: its own, or 128 + signal.
int exitCodeOf(int status);

/// The container directory goes for good, with its name and the anonymous volumes that no other container has
/// (--rm). First into the
/// store's trash, by one rename: what a crash leaves there is swept. Accepts "already gone". Throws
/// Failure(step::kRemove).
void removeContainer(const std::string& dir, const Launch& launch);

}  // namespace tsrun
