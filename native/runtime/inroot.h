#pragma once
#include <cstddef>
#include <cstdint>

#include "base/unique_fd.h"

/// Paths inside a root filesystem, whose links an image or a running container chose: resolved by the kernel
/// below the root's fd (openat2) and used as fds from then on. Nothing here allocates.
namespace tsrun {

/// What a symbolic link on the way means: `follow` resolves it inside the root, `refuse` makes it ELOOP.
enum class Links { follow, refuse };

/// Opens `path` with `root` as "/"; no link leads out of it and no magic link (/proc/*/fd) is followed. -1
/// and errno.
int openInRoot(int root, const char* path, int flags, Links links = Links::follow);

/// Opens the relative `path` below `directory`; a link that leads out of it, or an absolute one, is EXDEV. -1
/// and errno.
int openBeneath(int directory, const char* path, int flags);

/// What ensureInRoot found or made.
struct Ensured {
  UniqueFd fd;           ///< O_PATH; empty on failure, then errno says why
  bool created = false;  ///< the last component is new
};
enum class Kind { directory, file };

/// Opens `path`, making what is missing: directories 0755 and, for Kind::file, an empty last component. A
/// dangling link is completed inside the root. An existing object of the other kind is returned as it is.
Ensured ensureInRoot(int root, const char* path, Kind kind, Links links = Links::follow);

/// Opens the directory that holds `path`, making it if it is missing, and points `name` at the last
/// component.
UniqueFd ensureParent(int root, const char* path, const char** name);

/// The absolute path of `fd` as seen from `root` ("/etc/hosts"); false if it does not lie below `root`.
bool pathInRoot(int root, int fd, char* out, std::size_t size);

}  // namespace tsrun
