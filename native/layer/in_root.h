#pragma once
#include <sys/stat.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"

namespace tsrun {

/// Opens `path` (no leading slash; empty = the root itself) as the container would see it: `root` is `/` for
/// absolute links and `..`, no magic link is followed. -1 and errno on failure.
int openInRoot(int root, const std::string& path, int flags);

/// Opens the child `name` of `dir`, one component and no symlink. -1 and errno on failure.
int openChild(int dir, const std::string& name, int flags);

/// lstat of a child; nothing if it is not there. Throws Failure(step) on any other error.
std::optional<struct stat> statChild(int dir, const std::string& name, const char* step);

std::string readLink(int dir, const std::string& name, const char* step);

/// Names in a directory, unsorted, without `.` and `..`. `dir` is any open descriptor of it.
std::vector<std::string> listDirectory(int dir, const char* step, const std::string& subject);

/// An archive's or link's name made relative to the root by its text: no leading slash, no `.`, no `..`, no
/// empty component. Throws Failure(step::kLayerEntry) if it climbs above the root or is longer or deeper than
/// may be.
std::string cleanPath(std::string_view name);

/// Splits a clean path at its last component. The parent of a top-level name is empty, the root.
std::string parentOf(const std::string& path);
std::string baseOf(const std::string& path);
std::vector<std::string> componentsOf(std::string_view path);

}  // namespace tsrun
