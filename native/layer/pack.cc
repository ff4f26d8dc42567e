#include "layer/pack.h"

#include <unistd.h>

#include <algorithm>
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

namespace tsrun {
namespace {

constexpr const char* kStep = step::kLayerWalk;

class Packer : public UpperVisitor {
 public:
  Packer(TarWriter& writer, bool lowersKnown, std::optional<std::int64_t> clampMtime)
      : writer_(writer), lowersKnown_(lowersKnown), clampMtime_(clampMtime) {}

  void visit(const UpperNode& node) override {
    if (S_ISSOCK(node.status.st_mode)) {
      ++result.skippedSockets;
    } else if (node.whiteout) {
      if (node.belowHidden || (lowersKnown_ && !node.below)) return;  // it hides nothing
      writeParents();
      const std::string parent = parentOf(node.path);
      writeMark((parent.empty() ? "" : parent + '/') + std::string(kWhiteoutPrefix) + node.name);
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

  PackResult result;

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
      header(entry);
      if (hidesBelow(parent.node)) writeMark(entry.name + std::string(kWhiteoutOpaque));
    }
  }

  void header(const TarEntry& entry) {
    writer_.header(entry);
    ++result.entries;
  }

  void writeMark(const std::string& name) {
    TarEntry entry;
    entry.name = name;
    header(entry);
  }

  TarEntry describe(const UpperNode& node) {
    TarEntry entry = entryOf(node.dir, node.name, node.status, node.path);
    if (clampMtime_ && entry.mtime.tv_sec >= *clampMtime_)
      entry.mtime = {static_cast<time_t>(*clampMtime_), 0};
    return entry;
  }

  void writeNode(const UpperNode& node) {
    TarEntry entry = describe(node);
    if (node.status.st_nlink > 1) {
      const auto [first, isNew] = names_.try_emplace({node.status.st_dev, node.status.st_ino}, node.path);
      if (!isNew) {
        entry.kind = NodeKind::hardLink;
        entry.linkName = first->second;
        entry.xattrs.clear();  // the first name has said them
        header(entry);
        return;
      }
    }
    if (entry.kind == NodeKind::file) {
      writeFile(node, entry);
    } else {
      if (entry.kind == NodeKind::symlink) result.contentSize += entry.linkName.size();
      header(entry);
    }
  }

  void writeFile(const UpperNode& node, TarEntry& entry) {
    const NodeFile file(node.dir, node.name, node.status, node.path);
    entry.fileSize = file.size();
    header(entry);
    result.contentSize += entry.fileSize;
    file.write(writer_);
  }

  TarWriter& writer_;
  bool lowersKnown_;
  std::optional<std::int64_t> clampMtime_;
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

void walk(const UpperRequest& request, UpperVisitor& visitor) {
  const Jail jail = enterJail(request.upper, request.lowers, JailMode::read);
  walkUpper({jail.root.get(), request.stubs}, LowerDir::root(jail.lowers), visitor);
}

}  // namespace

PackResult packLayer(const UpperRequest& request, std::optional<std::int64_t> clampMtime) {
  TarWriter writer(STDOUT_FILENO);
  Packer packer(writer, !request.lowers.empty(), clampMtime);
  walk(request, packer);
  writer.finish();
  packer.result.tarSize = writer.size();
  packer.result.diffId = "sha256:" + writer.digest();
  return packer.result;
}

std::uint64_t diffLayer(const UpperRequest& request) {
  Lister lister;
  walk(request, lister);
  return lister.write(STDOUT_FILENO);
}

}  // namespace tsrun
