#pragma once
#include <sys/stat.h>

#include <string>

#include "base/unique_fd.h"
#include "layer/tar_writer.h"

namespace tsrun {

/// The child `name` of `dir` as an archive describes it, named `path`; for a file the size is still missing.
/// Throws Failure(step::kLayerWalk), with ENOENT if it is gone.
TarEntry entryOf(int dir, const std::string& name, const struct stat& status, const std::string& path);

/// The content of a regular file, as large as it was when it was opened.
class NodeFile {
 public:
  /// Throws Failure(step::kLayerWalk): ESTALE if it is no longer what `status` says.
  NodeFile(int dir, const std::string& name, const struct stat& status, std::string path);
  std::uint64_t size() const { return size_; }
  /// Writes it as the body of the entry whose header was just written. Somebody may be writing to the file:
  /// what is added behind that size is left out, and what is cut off reads as zeros, as through a sparse
  /// file.
  void write(TarWriter& writer) const;

 private:
  std::string path_;
  UniqueFd file_;
  std::uint64_t size_;
};

}  // namespace tsrun
