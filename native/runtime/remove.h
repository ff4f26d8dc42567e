#pragma once
#include <string>

namespace tsrun {

/// Removes a tree by fds, bottom up: never follows a symlink, never leaves the file system or mount
/// (stx_mnt_id) it began on. "Already gone" is success. Throws Failure naming the path that could not be
/// removed.
void removeTree(const std::string& path);

/// The same for the child `name` of an open directory; failures name paths from there.
void removeTreeAt(int dir, const std::string& name);

}  // namespace tsrun
