#pragma once
#include <string>

#include "base/unique_fd.h"

namespace tsrun {

/// Behind the name of a file that compressFile has replaced.
inline constexpr char kGzip[] = ".gz";

/// Starts a process that puts `path`.gz in the place of `path`, with its time of modification. Returns its
/// pidfd, or nothing where no process can be made: then, as with a full disk, the file stays as it is.
UniqueFd compressFile(const std::string& path);

/// Waits for the end of such a process, also when somebody else has reaped it.
void awaitEnd(UniqueFd& pidfd);

}  // namespace tsrun
