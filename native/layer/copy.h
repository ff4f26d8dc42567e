#pragma once
#include <string>

#include "layer/lower_dir.h"

namespace tsrun {

/// Copies one node that is not a directory, attributes and all, from a lower layer's directory into `toDir`
/// under the same name. Holes stay holes.
void copyNode(const LowerDir::Found& from, int toDir, const std::string& name, const std::string& subject);

}  // namespace tsrun
