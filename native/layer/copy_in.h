#pragma once
#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "layer/attributes.h"
#include "layer/tar_reader.h"

namespace tsrun {

/// What an archive may bring with it into a tree.
enum class Ownership {
  archive,  ///< everything: owners, set-uid bits, file capabilities, devices
  caller,   ///< what is new belongs to whoever runs this, and gives nobody any rights
};

struct CopyInRequest {
  /// The directory that the archive is unpacked in: absolute and clean below the root, its links are
  /// followed.
  std::string target;
  /// The same as the user knows it, for messages.
  std::string shownTarget;
  /// Entries are at or below `base` (clean, empty = any) and get `newBase` in its place.
  std::string base, newBase;
  Ownership ownership = Ownership::archive;
  /// A directory is not replaced by something else, nor the other way round.
  bool keepKinds = false;
  /// Nothing may go where the container itself may not write.
  bool ofContainer = false;
};

/// Unpacks archives as files: no name in them means more than itself. Links on the way to an entry are
/// followed as the root has them; an entry's own name is replaced, never followed.
class CopyIn {
 public:
  /// Finds and checks the target. Throws Failure of step copy.path or copy.refused.
  CopyIn(int root, CopyInRequest request);

  /// To the end of the archive. A file appears when its content is complete, and so is replaced. Throws
  /// Failure.
  void run(TarReader& reader);
  std::uint64_t entries() const { return entries_; }

 private:
  struct Time {
    std::string path;
    dev_t device;
    ino_t inode;
    timespec mtime;
  };

  void checkWritable(int target) const;
  void apply(TarReader& reader, const TarEntry& entry);
  std::string renamed(const std::string& path, const TarEntry& entry) const;
  std::string below(const std::string& path) const;
  std::string shown(const std::string& path) const;
  int parentFor(const std::string& path);
  UniqueFd ensureDirectory(const std::string& path, const std::string& entry);
  Attributes allowed(const TarEntry& entry) const;

  void makeWay(int dir, const std::string& name, bool forDirectory, const std::string& path);
  void removeOld(int dir, const std::string& name, const std::string& path);
  void directory(const TarEntry& entry, int dir, const std::string& name, const std::string& path);
  void file(TarReader& reader, const TarEntry& entry, int dir, const std::string& path);
  UniqueFd openNewFile(int dir, const std::string& name, const std::string& path, bool& named);
  void hardLink(const TarEntry& entry, int dir, const std::string& name, const std::string& path);
  void special(const TarEntry& entry, int dir, const std::string& name, const std::string& path);
  void setTimes();
  [[noreturn]] void failed(const char* call, const std::string& path) const;

  int root_;
  CopyInRequest request_;
  std::optional<std::string> cachedPath_;  ///< of cachedDir_, while it is sure to be there
  UniqueFd cachedDir_;
  std::vector<Time> times_;
  std::uint64_t entries_ = 0;
};

}  // namespace tsrun
