#include "layer/target_tree.h"

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <deque>

#include "base/failure.h"
#include "layer/copy.h"
#include "layer/in_root.h"
#include "layer/layer_steps.h"
#include "layer/limits.h"
#include "layer/overlay.h"
#include "layer/privilege.h"
#include "runtime/remove.h"

namespace tsrun {
namespace {

constexpr const char* kStep = step::kLayerEntry;
constexpr int kOpenDir = O_RDONLY | O_DIRECTORY;

}  // namespace

struct TargetTree::Walk {
  struct Level {
    UniqueFd dir;
    std::string name;
    std::shared_ptr<const LowerDir>
        lower;  ///< the same directory below, null where there is none or it is hidden
  };
  std::vector<Level> levels;
  std::deque<std::string> todo;
  std::string subject;
  int links = 0;

  int dir() const { return levels.back().dir.get(); }
  const LowerDir* lower() const { return levels.back().lower.get(); }
  std::string pathOf(const std::string& child) const {
    std::string path;
    for (std::size_t i = 1; i < levels.size(); ++i) path += levels[i].name + '/';
    return path + child;
  }
};

int TargetTree::parentFor(const std::string& path) {
  const std::string parent = parentOf(path);
  if (parent.empty()) return root_;
  if (cachedDir_ && parent == cachedPath_) return cachedDir_.get();
  UniqueFd dir(openInRoot(root_, parent, kOpenDir));
  if (!dir) {
    Walk at;
    if (!walk(parent, at)) return -1;
    dir = std::move(at.levels.back().dir);
  }
  cachedPath_ = parent;
  cachedDir_ = std::move(dir);
  return cachedDir_.get();
}

/// One component at a time, as the kernel does, but asking the layers below where this one has nothing, and
/// making the directories that are missing. False: it depends on the layers below and they are unknown.
bool TargetTree::walk(const std::string& path, Walk& at) {
  at.subject = path;
  UniqueFd root(check(openat(root_, ".", kOpenDir | O_CLOEXEC), kStep, path));
  at.levels.push_back({std::move(root), "", below_ == Below::given && !rootOpaque_ ? lower_ : nullptr});
  for (std::string& component : componentsOf(path)) at.todo.push_back(std::move(component));
  while (!at.todo.empty()) {
    const std::string component = std::move(at.todo.front());
    at.todo.pop_front();
    if (!step(at, component)) return false;
  }
  return true;
}

bool TargetTree::step(Walk& at, const std::string& component) {
  if (component == ".") return true;
  if (component == "..") {
    if (at.levels.size() > 1) at.levels.pop_back();
    return true;
  }
  const auto status = statChild(at.dir(), component, kStep);
  if (!status || isWhiteout(*status)) return stepMissing(at, component, status.has_value());
  if (S_ISLNK(status->st_mode)) {
    follow(at, readLink(at.dir(), component, kStep));
    return true;
  }
  if (!S_ISDIR(status->st_mode)) throw Failure(kStep, ENOTDIR, at.subject);
  UniqueFd dir(check(openChild(at.dir(), component, kOpenDir), kStep, at.subject));
  std::shared_ptr<const LowerDir> lower;
  if (at.lower() != nullptr) {
    const AdminScope admin;
    if (!isOpaque(dir.get())) lower = std::make_shared<LowerDir>(at.lower()->enter(component));
  }
  at.levels.push_back({std::move(dir), component, std::move(lower)});
  return true;
}

bool TargetTree::stepMissing(Walk& at, const std::string& component, bool hidden) {
  std::optional<LowerDir::Found> below;
  if (!hidden) {
    standalone_ = false;
    if (below_ == Below::unknown) return false;
    if (at.lower() != nullptr) below = at.lower()->find(component);
  }
  if (below && S_ISLNK(below->status.st_mode)) {
    follow(at, readLink(below->dir, component, kStep));
    return true;
  }
  if (below && !S_ISDIR(below->status.st_mode)) throw Failure(kStep, ENOTDIR, at.subject);
  UniqueFd dir = impliedDirectory(at, component, below ? &*below : nullptr);
  std::shared_ptr<const LowerDir> lower;
  if (below) lower = std::make_shared<LowerDir>(at.lower()->enter(component));
  at.levels.push_back({std::move(dir), component, std::move(lower)});
  return true;
}

void TargetTree::follow(Walk& at, const std::string& target) {
  if (++at.links > limits::kSymlinks) throw Failure(kStep, ELOOP, at.subject);
  const std::vector<std::string> components = componentsOf(target);
  at.todo.insert(at.todo.begin(), components.begin(), components.end());
  if (target.starts_with('/')) at.levels.resize(1);
}

UniqueFd TargetTree::impliedDirectory(Walk& at, const std::string& component, const LowerDir::Found* below) {
  if (at.levels.size() > limits::kDepth)
    throw Failure(kStep, ENAMETOOLONG, at.subject, "too many directories");
  const std::string path = at.pathOf(component);
  bool existed = false;
  UniqueFd dir = makeDirectory(at.dir(), component, path, &existed);
  Attributes attributes{S_IFDIR | 0755, 0, 0, {}, {}};
  if (below != nullptr) {
    const UniqueFd model(check(openChild(below->dir, component, kOpenDir), kStep, path));
    attributes = attributesOf(Node::opened(model.get()), below->status, path);
    deferTimes(dir.get(), path, attributes.mtime);
  }
  setAttributes(Node::opened(dir.get()), attributes, false, path);
  return dir;
}

int TargetTree::linkTarget(const std::string& path) {
  const std::string parent = parentOf(path), base = baseOf(path);
  linkDir_.reset(openInRoot(root_, parent, kOpenDir));
  if (linkDir_) {
    const auto status = statChild(linkDir_.get(), base, kStep);
    if (status && !isWhiteout(*status)) return linkDir_.get();
  }
  Walk at;
  if (!walk(parent, at)) return -1;
  const auto status = statChild(at.dir(), base, kStep);
  if (status && isWhiteout(*status)) throw Failure(kStep, ENOENT, path);
  if (!status) {
    standalone_ = false;
    if (below_ == Below::unknown) return -1;
    const auto below = at.lower() != nullptr ? at.lower()->find(base) : std::nullopt;
    if (!below) throw Failure(kStep, ENOENT, path);
    copyNode(*below, at.dir(), base, path);
  }
  linkDir_ = std::move(at.levels.back().dir);
  return linkDir_.get();
}

void TargetTree::remove(int dir, const std::string& name, const std::string& subject) {
  cachedPath_.clear();  // it may lie in, or have been reached through, what goes away
  if (unlinkat(dir, name.c_str(), 0) == 0) return;
  if (errno != EISDIR) fail(kStep, subject);
  removeTreeAt(dir, name);
}

UniqueFd TargetTree::makeDirectory(int dir, const std::string& name, const std::string& path, bool* existed) {
  *existed = false;
  bool replaced = false;
  if (mkdirat(dir, name.c_str(), 0700) != 0) {
    if (errno != EEXIST) fail(kStep, path);
    const auto status = statChild(dir, name, kStep);
    *existed = status && S_ISDIR(status->st_mode);
    if (!*existed) {
      remove(dir, name, path);
      check(mkdirat(dir, name.c_str(), 0700), kStep, path);
      replaced = true;
    }
  }
  UniqueFd made(check(openChild(dir, name, kOpenDir), kStep, path));
  if (replaced) makeOpaque(made.get(), path);
  return made;
}

void TargetTree::makeWhiteout(int dir, const std::string& name, const std::string& path) {
  if (mknodat(dir, name.c_str(), S_IFCHR, makedev(0, 0)) == 0) return;
  if (errno != EEXIST) fail(kStep, path);
  const auto status = statChild(dir, name, kStep);
  // The layer's own entry stays, whatever the order: a file hides what is below anyway, a directory has to be
  // told to.
  if (!status || !S_ISDIR(status->st_mode)) return;
  const UniqueFd own(check(openChild(dir, name, kOpenDir), kStep, path));
  makeOpaque(own.get(), path);
}

void TargetTree::makeOpaque(int dir, const std::string& path) {
  const AdminScope admin;
  check(fsetxattr(dir, kOpaqueAttribute, "y", 1, 0), kStep, path);
  opaque_.push_back(path);
}

bool TargetTree::makeRootOpaque() {
  standalone_ = false;
  rootOpaque_ = true;
  return below_ != Below::unknown;
}

void TargetTree::deferTimes(int dir, const std::string& path, const timespec& mtime) {
  struct stat status;
  check(fstat(dir, &status), kStep, path);
  times_[status.st_ino] = {path, mtime};
}

void TargetTree::finish() {
  if (rootOpaque_ && below_ == Below::given) hideRoot();
  sweepWhiteouts();
  for (const auto& [inode, time] : times_) {
    const UniqueFd dir(openInRoot(root_, time.path, kOpenDir));
    struct stat status;
    if (!dir || fstat(dir.get(), &status) != 0 || status.st_ino != inode) continue;  // replaced since
    const timespec both[2] = {time.mtime, time.mtime};
    check(futimens(dir.get(), both), kStep, time.path);
  }
}

void TargetTree::hideRoot() {
  for (const std::string& name : lower_->names()) makeWhiteout(root_, name, name);
}

/// A whiteout in an opaque directory hides nothing, and overlayfs would list it as a broken file. Writers
/// that serve several storage drivers emit both.
void TargetTree::sweepWhiteouts() {
  for (const std::string& path : opaque_) {
    const UniqueFd dir(openInRoot(root_, path, kOpenDir));
    if (!dir) continue;
    const AdminScope admin;
    if (!isOpaque(dir.get())) continue;
    for (const std::string& name : listDirectory(dir.get(), kStep, path)) {
      const auto status = statChild(dir.get(), name, kStep);
      if (status && isWhiteout(*status)) check(unlinkat(dir.get(), name.c_str(), 0), kStep, path);
    }
  }
}

}  // namespace tsrun
