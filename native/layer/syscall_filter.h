#pragma once

namespace tsrun {

/// Allows the calling process and its future threads the system calls that unpacking and packing need; all
/// others fail with EPERM, so that a bug in a parser reaches no mount, no namespace, no socket and no other
/// program.
void installSyscallFilter();

}  // namespace tsrun
