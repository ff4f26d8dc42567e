#include "layer/view_writer.h"

#include <fcntl.h>

#include <deque>

#include "base/failure.h"
#include "layer/attributes.h"
#include "layer/in_root.h"
#include "layer/layer_steps.h"
#include "layer/limits.h"
#include "layer/node_entry.h"
#include "layer/overlay.h"

namespace tsrun {
namespace {

constexpr const char* kStep = step::kLayerWalk;
constexpr mode_t kImpliedMode = 0755;

/// A directory of a view, reached from its root, which is borrowed.
class Place {
 public:
  explicit Place(const LowerDir& root, const std::string& path = {}) : root_(root) {
    for (const std::string& component : componentsOf(path)) enter(component);
  }
  void enter(const std::string& name) {
    own_ = dir().enter(name);
    atRoot_ = false;
  }
  const LowerDir& dir() const { return atRoot_ ? root_ : own_; }

 private:
  const LowerDir& root_;
  LowerDir own_;
  bool atRoot_ = true;
};

/// The part `part` of a volume: whoever writes to the volume chose the links in it, so none is followed.
UniqueFd partOf(const UniqueFd& volume, const std::string& part, const std::string& subject) {
  UniqueFd at(check(openChild(volume.get(), ".", O_RDONLY | O_DIRECTORY), kStep, subject));
  for (const std::string& component : componentsOf(part))
    at = UniqueFd(check(openChild(at.get(), component, O_RDONLY | O_DIRECTORY), kStep, subject));
  return at;
}

}  // namespace

void LayerOutput::clamp(TarEntry& entry) const {
  if (clampMtime && entry.mtime.tv_sec >= *clampMtime) entry.mtime = {static_cast<time_t>(*clampMtime), 0};
}

void LayerOutput::header(const TarEntry& entry) const {
  tar.header(entry);
  ++result.entries;
}

void LayerOutput::mark(const std::string& name) const {
  TarEntry entry;
  entry.name = name;
  header(entry);
}

std::string resolveInView(const LowerDir& view, const std::string& path) {
  const std::vector<std::string> components = componentsOf(path);
  std::deque<std::string> left(components.begin(), components.end());
  std::string done;
  for (int links = 0; !left.empty();) {
    const std::string component = left.front();
    left.pop_front();
    if (component == ".") continue;
    if (component == "..") {
      done = parentOf(done);
      continue;
    }
    const Place parent(view, done);
    const auto found = parent.dir().find(component);
    if (!found || !S_ISLNK(found->status.st_mode)) {
      done += (done.empty() ? "" : "/") + component;
      continue;
    }
    if (++links > limits::kSymlinks) throw Failure(kStep, ELOOP, path);
    const std::string target = readLink(found->dir, component, kStep);
    if (target.starts_with('/')) done.clear();
    const std::vector<std::string> more = componentsOf(target);
    left.insert(left.begin(), more.begin(), more.end());
  }
  return done;
}

VolumeViews viewVolumes(const LowerDir& view, const std::vector<PackVolume>& volumes,
                        const std::vector<UniqueFd>& dirs) {
  VolumeViews views;
  for (std::size_t i = 0; i < volumes.size(); ++i) {
    std::vector<UniqueFd> only;
    only.push_back(partOf(dirs[i], volumes[i].part, volumes[i].path));
    views.insert_or_assign(resolveInView(view, volumes[i].path), LowerDir::root(only));
  }
  return views;
}

void ViewWriter::root(const LowerDir& view) {
  directory(view, "");
  content(view, "", 0);
  viewWritten_ = true;
}

void ViewWriter::content(const LowerDir& dir, const std::string& prefix, std::size_t depth) {
  if (depth > limits::kDepth)
    throw Failure(kStep, ENAMETOOLONG, prefix.substr(0, 256), "too many directories");
  for (const std::string& name : dir.names()) node(dir, name, prefix + name, depth);
}

void ViewWriter::node(const LowerDir& dir, const std::string& name, const std::string& path,
                      std::size_t depth) {
  if (path.size() >= limits::kPath) throw Failure(kStep, ENAMETOOLONG, path.substr(0, 256));
  if (const auto place = volumes_.find(path); place != volumes_.end())
    return volume(path, place->second, depth);
  const auto found = dir.find(name);
  if (!found) return;
  const struct stat& status = found->status;
  if (S_ISREG(status.st_mode) && status.st_size == 0 && stubs_.contains(path)) return;
  if (S_ISSOCK(status.st_mode)) {
    ++output_.result.skippedSockets;
  } else if (S_ISDIR(status.st_mode)) {
    const LowerDir child = dir.enter(name);
    if (child.empty()) return;  // gone by now
    directory(child, path);
    content(child, path + '/', depth + 1);
  } else {
    leaf(*found, name, path);
  }
}

void ViewWriter::leaf(const LowerDir::Found& found, const std::string& name, const std::string& path) {
  const struct stat& status = found.status;
  TarEntry entry = entryOf(found.dir, name, status, path);
  output_.clamp(entry);
  if (status.st_nlink > 1) {
    const auto [first, isNew] = names_.try_emplace({status.st_dev, status.st_ino}, path);
    if (!isNew) {
      entry.kind = NodeKind::hardLink;
      entry.linkName = first->second;
      // With its xattrs, as in pack.cc.
      return output_.header(entry);
    }
  }
  if (entry.kind != NodeKind::file) {
    if (entry.kind == NodeKind::symlink) output_.result.contentSize += entry.linkName.size();
    return output_.header(entry);
  }
  const NodeFile file(found.dir, name, status, path);
  entry.fileSize = file.size();
  output_.header(entry);
  output_.result.contentSize += entry.fileSize;
  file.write(output_.tar);
}

void ViewWriter::volume(const std::string& path, const LowerDir& dir, std::size_t depth) {
  writtenVolumes_.insert(path);
  directory(dir, path);
  content(dir, path + '/', depth + 1);
}

/// The topmost layer gives a merged directory its attributes.
void ViewWriter::directory(const LowerDir& dir, const std::string& path) {
  struct stat status;
  check(fstat(dir.top(), &status), kStep, path);
  TarEntry entry = entryOf(dir.top(), ".", status, path.empty() ? "./" : path + '/');
  output_.clamp(entry);
  output_.header(entry);
}

void ViewWriter::remainingVolumes(const LowerDir& view, const LowerDir& below, std::set<std::string> known) {
  for (const auto& [path, dir] : volumes_) {
    if (writtenVolumes_.contains(path)) continue;
    parents(view, path, known);
    directory(dir, path);
    writtenVolumes_.insert(path);
    known.insert(path);
    if (!Place(below, path).dir().empty()) output_.mark(path + '/' + std::string(kWhiteoutOpaque));
    content(dir, path + '/', componentsOf(path).size());
  }
}

void ViewWriter::parents(const LowerDir& view, const std::string& path, std::set<std::string>& known) {
  Place at(view);
  std::string done;
  for (const std::string& component : componentsOf(parentOf(path))) {
    done += (done.empty() ? "" : "/") + component;
    at.enter(component);
    const bool there = !at.dir().empty();
    if (!known.insert(done).second || (there && viewWritten_)) continue;
    if (there) {
      directory(at.dir(), done);
      continue;
    }
    TarEntry entry;
    entry.kind = NodeKind::directory;
    entry.name = done + '/';
    entry.mode = kImpliedMode;
    output_.header(entry);
  }
}

}  // namespace tsrun
