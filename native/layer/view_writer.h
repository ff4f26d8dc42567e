#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "layer/lower_dir.h"
#include "layer/pack.h"
#include "layer/tar_writer.h"

namespace tsrun {

/// What both ways of writing a layer have in common.
struct LayerOutput {
  TarWriter& tar;
  std::optional<std::int64_t> clampMtime;
  PackResult& result;

  /// `entry.mtime` not later than the latest that may be.
  void clamp(TarEntry& entry) const;
  void header(const TarEntry& entry) const;
  /// `.wh.NAME` or `.wh..wh..opq`
  void mark(const std::string& name) const;
};

/// Where volumes lie, as directories of a container: clean paths without links.
using VolumeViews = std::map<std::string, LowerDir>;

/// `dirs`: those of `volumes`, opened. `view`: what the container sees without them.
VolumeViews viewVolumes(const LowerDir& view, const std::vector<PackVolume>& volumes,
                        const std::vector<UniqueFd>& dirs);

/// Follows the links in `path` as the container would. What is not there stays as it is written.
std::string resolveInView(const LowerDir& view, const std::string& path);

/// Writes whole trees into a layer: everything that a view shows, or what lies in a volume.
class ViewWriter {
 public:
  /// `stubs`: empty files of these paths are left out.
  ViewWriter(LayerOutput output, const std::set<std::string>& stubs, const VolumeViews& volumes)
      : output_(output), stubs_(stubs), volumes_(volumes) {}

  /// The root of `view` and all below it, with the volumes in their places.
  void root(const LowerDir& view);
  /// The volumes that have not been written, with the directories above them, `known` excepted, as `view` has
  /// them. Where one takes the place of a directory of the layers below, `below`, it hides that.
  void remainingVolumes(const LowerDir& view, const LowerDir& below, std::set<std::string> known);

 private:
  void content(const LowerDir& dir, const std::string& prefix, std::size_t depth);
  void node(const LowerDir& dir, const std::string& name, const std::string& path, std::size_t depth);
  void leaf(const LowerDir::Found& found, const std::string& name, const std::string& path);
  void volume(const std::string& path, const LowerDir& content, std::size_t depth);
  void directory(const LowerDir& dir, const std::string& path);
  void parents(const LowerDir& view, const std::string& path, std::set<std::string>& known);

  LayerOutput output_;
  const std::set<std::string>& stubs_;
  const VolumeViews& volumes_;
  std::set<std::string> writtenVolumes_;
  bool viewWritten_ = false;
  std::map<std::pair<dev_t, ino_t>, std::string> names_;
};

}  // namespace tsrun
