#pragma once
#include <sys/stat.h>

#include <string>

#include "base/unique_fd.h"

namespace tsrun {

/// A path that a user gave, found below a root: absolute, without `.`, `..` and doubled slashes by its text.
/// Links on the way are followed inside the root. What the last component is stays open: a link is a link,
/// unless a slash or `/.` at the end asks for the directory behind it.
struct CopyPath {
  UniqueFd dir;      ///< holds `name`
  std::string name;  ///< `.` if the path is a directory by its text
  struct stat status;
  std::string target;  ///< of a link: the absolute path that it leads to in the end, there or not

  bool isDirectory() const { return S_ISDIR(status.st_mode); }
};

/// Throws Failure(step::kCopyPath) with `path` and ENOENT, ENOTDIR, ELOOP, …
CopyPath findCopyPath(int root, const std::string& path);

}  // namespace tsrun
