#pragma once
#include <cstdint>
#include <string>

#include "layer/tar_reader.h"
#include "layer/target_tree.h"

namespace tsrun {

/// Turns the entries of a layer's tar into nodes of a TargetTree, by the rules of the OCI image spec for
/// applying changes.
class Unpacker {
 public:
  Unpacker(TarReader& reader, TargetTree& tree) : reader_(reader), tree_(tree) {}

  /// Reads to the end of the stream, whatever happens to the tree.
  void run();

  std::uint64_t entries() const { return entries_; }
  std::uint64_t contentSize() const { return contentSize_; }

 private:
  /// False: the entry needs what lies below, which is unknown; the tree will be made again, and the rest is
  /// only read.
  bool apply(const TarEntry& entry);
  bool whiteout(const std::string& path, const std::string& base);
  bool rootEntry(const TarEntry& entry);
  bool hardLink(const TarEntry& entry, int dir, const std::string& base);
  void directory(const TarEntry& entry, int dir, const std::string& base, const std::string& path);
  void file(const TarEntry& entry, int dir, const std::string& base);
  void special(const TarEntry& entry, int dir, const std::string& base);

  TarReader& reader_;
  TargetTree& tree_;
  std::uint64_t entries_ = 0, contentSize_ = 0;
};

}  // namespace tsrun
