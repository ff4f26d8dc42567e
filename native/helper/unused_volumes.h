#pragma once
#include <string>
#include <vector>

namespace tsrun {

/// Removes the volumes at `paths` (of the store at `root`) that no container there has: `--volumes-from`
/// shares the anonymous ones, too. Accepts "already gone". Throws Failure(step::kRemove).
void removeUnusedVolumes(const std::string& root, const std::vector<std::string>& paths);

}  // namespace tsrun
