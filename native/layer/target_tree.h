#pragma once
#include <sys/stat.h>

#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/unique_fd.h"
#include "layer/attributes.h"
#include "layer/lower_dir.h"

namespace tsrun {

/// What lies below the layer that is being unpacked.
enum class Below {
  unknown,  ///< some other layers, not given: what depends on them is only noticed
  nothing,  ///< it is the first layer
  given,    ///< the view of LowerDir
};

/// The directory a layer is unpacked into, in overlayfs form. All paths are clean (in_root.h) and resolved as
/// the container would, links of the layer and of the layers below included.
class TargetTree {
 public:
  TargetTree(int root, Below below, LowerDir lower)
      : root_(root), below_(below), lower_(std::make_shared<LowerDir>(std::move(lower))) {}

  /// The directory that holds `path`; it and its parents are made if missing, as they are below, else 0755
  /// root. Valid until the next call. -1: it depends on what lies below and that is unknown.
  int parentFor(const std::string& path);
  int root() const { return root_; }

  /// Removes what is at `name`, a whole tree if need be.
  void remove(int dir, const std::string& name, const std::string& subject);
  /// A directory, new or what is there already. The layer's directory of that name hides what is below if it
  /// takes the place of a whiteout or a file.
  UniqueFd makeDirectory(int dir, const std::string& name, const std::string& path, bool* existed);
  void makeWhiteout(int dir, const std::string& name, const std::string& path);
  void makeOpaque(int dir, const std::string& path);
  /// An opaque root: overlayfs ignores the mark there, so each name below gets its own whiteout at the end of
  /// the layer. False: what is below is unknown.
  bool makeRootOpaque();

  /// Finds the target of a hard link, copying it up from below if it is only there; the directory is valid
  /// until the next call. -1: not in the layer, and what is below is unknown. Throws ENOENT if it is nowhere.
  int linkTarget(const std::string& path);

  /// Directory times are set at the end, when nothing is created in them any more.
  void deferTimes(int dir, const std::string& path, const timespec& mtime);
  void finish();

  /// False once something was found that depends on what lies below.
  bool standalone() const { return standalone_; }

 private:
  /// A walk from the root down real directories, one descriptor each.
  struct Walk;
  bool walk(const std::string& path, Walk& at);
  bool step(Walk& at, const std::string& component);
  bool stepMissing(Walk& at, const std::string& component, bool hidden);
  void follow(Walk& at, const std::string& target);
  UniqueFd impliedDirectory(Walk& at, const std::string& component, const LowerDir::Found* below);
  void hideRoot();
  void sweepWhiteouts();

  struct Time {
    std::string path;
    timespec mtime;
  };

  int root_;
  Below below_;
  std::shared_ptr<const LowerDir> lower_;
  std::string cachedPath_;
  UniqueFd cachedDir_, linkDir_;
  std::unordered_map<ino_t, Time> times_;
  std::vector<std::string> opaque_;
  bool standalone_ = true, rootOpaque_ = false;
};

}  // namespace tsrun
