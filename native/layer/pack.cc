#include "layer/pack.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "base/failure.h"
#include "layer/attributes.h"
#include "layer/changes.h"
#include "layer/in_root.h"
#include "layer/jail.h"
#include "layer/layer_steps.h"
#include "layer/node_entry.h"
#include "layer/overlay.h"
#include "layer/tar_writer.h"
#include "layer/view_writer.h"

namespace tsrun {
namespace {

constexpr const char* kStep = step::kLayerWalk;

class Packer : public UpperVisitor {
 public:
  Packer(LayerOutput output, bool lowersKnown) : output_(output), lowersKnown_(lowersKnown) {}

  void visit(const UpperNode& node) override {
    if (S_ISSOCK(node.status.st_mode)) {
      ++output_.result.skippedSockets;
    } else if (node.whiteout) {
      if (node.belowHidden || (lowersKnown_ && !node.below)) return;  // it hides nothing
      writeParents();
      const std::string parent = parentOf(node.path);
      output_.mark((parent.empty() ? "" : parent + '/') + std::string(kWhiteoutPrefix) + node.name);
    } else if (S_ISDIR(node.status.st_mode)) {
      parents_.push_back({node, false});
      if (!node.unchanged || node.belowHidden || hidesBelow(node)) writeParents();
    } else if (!node.unchanged || node.belowHidden || node.status.st_nlink > 1) {
      // A name of several, even if it alone is as before: the others may be new, and must stay its links.
      writeParents();
      writeNode(node);
    }
  }

  void leave(const UpperNode&) override { parents_.pop_back(); }

  /// Paths that have an entry.
  std::set<std::string> directories;

 private:
  struct Parent {
    UpperNode node;
    bool written;
  };

  /// The kernel marks every directory that it makes in a merged one: only where something lies below does it
  /// mean anything, and only the outermost mark.
  bool hidesBelow(const UpperNode& node) const {
    if (!node.opaque || node.belowHidden) return false;
    return !lowersKnown_ || (node.below && S_ISDIR(node.belowStatus.st_mode));
  }

  /// An entry's parents come with it even if they are unchanged, so that the layer depends on nothing below.
  void writeParents() {
    for (Parent& parent : parents_) {
      if (std::exchange(parent.written, true)) continue;
      TarEntry entry = describe(parent.node);
      entry.name += '/';
      output_.header(entry);
      directories.insert(parent.node.path);
      if (hidesBelow(parent.node)) output_.mark(entry.name + std::string(kWhiteoutOpaque));
    }
  }

  TarEntry describe(const UpperNode& node) {
    TarEntry entry = entryOf(node.dir, node.name, node.status, node.path);
    output_.clamp(entry);
    return entry;
  }

  void writeNode(const UpperNode& node) {
    TarEntry entry = describe(node);
    if (node.status.st_nlink > 1) {
      const auto [first, isNew] = names_.try_emplace({node.status.st_dev, node.status.st_ino}, node.path);
      if (!isNew) {
        entry.kind = NodeKind::hardLink;
        entry.linkName = first->second;
        // With its xattrs: Docker and podman give the link its owner again, which takes file capabilities
        // away.
        output_.header(entry);
        return;
      }
    }
    if (entry.kind == NodeKind::file) {
      writeFile(node, entry);
    } else {
      if (entry.kind == NodeKind::symlink) output_.result.contentSize += entry.linkName.size();
      output_.header(entry);
    }
  }

  void writeFile(const UpperNode& node, TarEntry& entry) {
    const NodeFile file(node.dir, node.name, node.status, node.path);
    entry.fileSize = file.size();
    output_.header(entry);
    output_.result.contentSize += entry.fileSize;
    file.write(output_.tar);
  }

  LayerOutput output_;
  bool lowersKnown_;
  std::vector<Parent> parents_;
  std::map<std::pair<dev_t, ino_t>, std::string> names_;
};

class Lister : public UpperVisitor {
 public:
  void visit(const UpperNode& node) override {
    const bool directory = S_ISDIR(node.status.st_mode);
    bool listed = true;
    if (node.whiteout) {
      if (node.below) add('D', node.path);
    } else if (!node.below) {
      add('A', node.path);
    } else if (!node.unchanged) {
      add('C', node.path);
    } else {
      listed = false;
    }
    if (directory) parents_.push_back({node.path, listed});
  }

  void leave(const UpperNode&) override { parents_.pop_back(); }
  void hidden(const std::string& path) override { add('D', path); }

  std::uint64_t write(int fd) {
    std::sort(changes_.begin(), changes_.end());
    std::string text;
    for (const auto& [path, kind] : changes_) text += std::string(1, kind) + " /" + path + '\0';
    writeAll(fd, text.data(), text.size(), step::kLayerWrite, "changes");
    return changes_.size();
  }

 private:
  struct Parent {
    std::string path;
    bool listed;
  };

  /// A change makes all directories above it changed.
  void add(char kind, const std::string& path) {
    for (Parent& parent : parents_) {
      if (!std::exchange(parent.listed, true)) changes_.emplace_back(parent.path, 'C');
    }
    changes_.emplace_back(path, kind);
  }

  std::vector<Parent> parents_;
  std::vector<std::pair<std::string, char>> changes_;
};

/// The container's view without its volumes.
LowerDir mergedView(const Jail& jail) {
  std::vector<UniqueFd> all;
  const auto reopen = [&](const UniqueFd& dir) {
    all.emplace_back(check(openat(dir.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), kStep, "view"));
  };
  reopen(jail.root);
  for (const UniqueFd& lower : jail.lowers) reopen(lower);
  return LowerDir::root(all);
}

}  // namespace

PackResult packLayer(const PackRequest& request) {
  std::vector<std::string> dirs = request.lowers;
  for (const PackVolume& volume : request.volumes) dirs.push_back(volume.dir);
  Jail jail = enterJail(request.upper, dirs, JailMode::read);
  const auto firstVolume = jail.lowers.begin() + static_cast<std::ptrdiff_t>(request.lowers.size());
  const std::vector<UniqueFd> volumeDirs(std::make_move_iterator(firstVolume),
                                         std::make_move_iterator(jail.lowers.end()));
  jail.lowers.resize(request.lowers.size());

  TarWriter tar(STDOUT_FILENO, request.copy);
  PackResult result;
  const LayerOutput output{tar, request.clampMtime, result};
  const LowerDir below = request.whole ? LowerDir() : LowerDir::root(jail.lowers);
  const LowerDir view = mergedView(jail);
  const VolumeViews volumes = viewVolumes(view, request.volumes, volumeDirs);
  ViewWriter writer(output, request.stubs, volumes);
  std::set<std::string> covered, known;
  for (const auto& [path, content] : volumes) covered.insert(path);
  if (request.whole) {
    writer.root(view);
  } else {
    Packer packer(output, !request.lowers.empty());
    walkUpper({jail.root.get(), request.stubs, covered}, below, packer);
    known = std::move(packer.directories);
  }
  writer.remainingVolumes(view, below, std::move(known));
  tar.finish();
  result.tarSize = tar.size();
  result.diffId = "sha256:" + tar.digest();
  return result;
}

std::uint64_t diffLayer(const UpperRequest& request) {
  Lister lister;
  const Jail jail = enterJail(request.upper, request.lowers, JailMode::read);
  const std::set<std::string> covered;
  walkUpper({jail.root.get(), request.stubs, covered}, LowerDir::root(jail.lowers), lister);
  return lister.write(STDOUT_FILENO);
}

}  // namespace tsrun
