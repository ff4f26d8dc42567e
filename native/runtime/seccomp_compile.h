#pragma once
#include <linux/filter.h>

#include <vector>

#include "runtime/spec.h"

namespace tsrun {

/// Compiles a profile to the BPF program that the kernel loads: the architecture is checked first (an
/// unlisted one is killed), then a binary search over ranges of numbers leads to one action, or to the rules
/// that look at arguments (the first that matches decides). Numbers above the highest that the profile names
/// answer ENOSYS instead of a refusal, so that a libc which probes for a newer call falls back. Names that no
/// table knows are skipped: their numbers get the default. Throws Failure(step::kSeccomp) for an action,
/// operator or architecture that is not supported.
///
/// Not libseccomp's own compiler, whose time grows with the square of the rules (tens of milliseconds for the
/// default profile on three architectures): only its table of names is used.
std::vector<sock_filter> compileSeccomp(const Spec::Seccomp& profile);

}  // namespace tsrun
