#pragma once
#include <string>
#include <vector>

#include "runtime/report.h"

namespace tsrun {

/// Covers `masked` paths below `root` with something that reads empty, and makes `readonly` paths read-only
/// mounts. Missing paths are skipped. Runs before pivot_root: `scratch` is an fd of a host directory that is
/// covered, in this mount namespace only, by the file system that the covers come from.
void maskPaths(int root, const std::vector<std::string>& masked, const std::vector<std::string>& readonly,
               int scratch, Report& report);

}  // namespace tsrun
