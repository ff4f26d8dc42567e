#pragma once
#include <cstdint>
#include <string>

#include "runtime/report.h"

namespace tsrun {

/// The flag of a propagation word of the spec ("rslave"), 0 for none. Throws Failure for an unknown word.
std::uint64_t propagationFlags(const std::string& word);

/// Makes `root` the root of the mount namespace and lets go of the host's tree.
void pivotInto(int root, std::uint64_t propagation, Report& report);

/// The last change to the root: no mount point or directory can be made in it afterwards.
void makeRootReadOnly(int root, Report& report);

}  // namespace tsrun
