#include "layer/unpacker.h"

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/failure.h"
#include "layer/attributes.h"
#include "layer/entry_node.h"
#include "layer/in_root.h"
#include "layer/layer_steps.h"
#include "layer/limits.h"
#include "layer/overlay.h"

namespace tsrun {
namespace {

constexpr const char* kStep = step::kLayerEntry;

[[noreturn]] void refuse(const std::string& name, const char* why) {
  throw Failure(kStep, 0, name, why);
}

}  // namespace

void Unpacker::run() {
  TarEntry entry;
  bool making = true;
  while (reader_.next(entry)) {
    if (++entries_ > limits::kEntries) refuse(entry.name, "too many entries");
    // As the size of a directory is counted elsewhere: the length of a symlink is that of its target.
    if (entry.kind == NodeKind::file) contentSize_ += entry.fileSize;
    if (entry.kind == NodeKind::symlink) contentSize_ += entry.linkName.size();
    if (making) making = apply(entry);
  }
  reader_.drain();
  if (making) tree_.finish();
}

bool Unpacker::apply(const TarEntry& entry) {
  if (entry.name.empty()) refuse(entry.name, "an entry without a name");
  const std::string path = cleanPath(entry.name);
  if (path.empty()) return rootEntry(entry);
  const std::string base = baseOf(path);
  if (base.starts_with(kWhiteoutPrefix)) return whiteout(path, base);
  if (("/" + path).find("/.wh.") != std::string::npos) {
    // aufs kept its own bookkeeping in such directories; nothing else can lie below a whiteout.
    if (("/" + path).find("/.wh..wh.") != std::string::npos) return true;
    refuse(entry.name, "an entry below a whiteout");
  }
  const int dir = tree_.parentFor(path);
  if (dir < 0) return false;
  switch (entry.kind) {
    case NodeKind::directory:
      directory(entry, dir, base, path);
      return true;
    case NodeKind::file:
      file(entry, dir, base);
      return true;
    case NodeKind::hardLink:
      return hardLink(entry, dir, base);
    default:
      special(entry, dir, base);
      return true;
  }
}

bool Unpacker::whiteout(const std::string& path, const std::string& base) {
  const std::string parent = parentOf(path);
  if (base == kWhiteoutOpaque) {
    if (parent.empty()) return tree_.makeRootOpaque();
    const int dir = tree_.parentFor(path);
    if (dir >= 0) tree_.makeOpaque(dir, parent);
    return dir >= 0;
  }
  if (base.starts_with(kWhiteoutMeta)) return true;  // left over from aufs
  const std::string name = base.substr(kWhiteoutPrefix.size());
  if (name.empty() || name == "." || name == "..") refuse(path, "a whiteout of nothing");
  const int dir = tree_.parentFor(path);
  if (dir >= 0) tree_.makeWhiteout(dir, name, parent.empty() ? name : parent + '/' + name);
  return dir >= 0;
}

bool Unpacker::rootEntry(const TarEntry& entry) {
  if (entry.kind != NodeKind::directory) refuse(entry.name, "the root must be a directory");
  setAttributes(Node::opened(tree_.root()), attributesOf(entry), false, entry.name);
  tree_.deferTimes(tree_.root(), "", entry.mtime);
  return true;
}

void Unpacker::directory(const TarEntry& entry, int dir, const std::string& base, const std::string& path) {
  bool existed = false;
  const UniqueFd made = tree_.makeDirectory(dir, base, path, &existed);
  if (existed) pruneXattrs(made.get(), entry.xattrs, entry.name);
  setAttributes(Node::opened(made.get()), attributesOf(entry), false, entry.name);
  tree_.deferTimes(made.get(), path, entry.mtime);
}

void Unpacker::file(const TarEntry& entry, int dir, const std::string& base) {
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  UniqueFd made(openat(dir, base.c_str(), kFlags, 0600));
  if (!made && errno == EEXIST) {
    tree_.remove(dir, base, entry.name);
    made.reset(openat(dir, base.c_str(), kFlags, 0600));
  }
  check(made.get(), kStep, entry.name);
  writeBody(reader_, entry, made.get());
  setAttributes(Node::opened(made.get()), attributesOf(entry), true, entry.name);
}

/// No attributes: all names share the target's.
bool Unpacker::hardLink(const TarEntry& entry, int dir, const std::string& base) {
  const std::string target = cleanPath(entry.linkName);
  if (target.empty()) refuse(entry.name, "a hard link to the root");
  const std::string targetBase = baseOf(target);
  const int targetDir = tree_.linkTarget(target);
  if (targetDir < 0) return false;
  const auto source = statChild(targetDir, targetBase, kStep);
  const auto present = statChild(dir, base, kStep);
  if (source && present && source->st_dev == present->st_dev && source->st_ino == present->st_ino)
    return true;
  if (present) tree_.remove(dir, base, entry.name);
  check(linkat(targetDir, targetBase.c_str(), dir, base.c_str(), 0), kStep, entry.name);
  return true;
}

void Unpacker::special(const TarEntry& entry, int dir, const std::string& base) {
  const bool device = entry.kind == NodeKind::charDevice || entry.kind == NodeKind::blockDevice;
  const dev_t number = device ? makedev(entry.devMajor, entry.devMinor) : 0;
  if (entry.kind == NodeKind::charDevice && number == 0)
    refuse(entry.name, "character device 0:0 is a whiteout");
  const auto make = [&] {
    if (entry.kind == NodeKind::symlink) return symlinkat(entry.linkName.c_str(), dir, base.c_str());
    return mknodat(dir, base.c_str(), typeOf(entry.kind) | 0600, number);
  };
  int result = make();
  if (result != 0 && errno == EEXIST) {
    tree_.remove(dir, base, entry.name);
    result = make();
  }
  check(result, kStep, entry.name);
  setAttributes(Node::child(dir, base), attributesOf(entry), true, entry.name);
}

}  // namespace tsrun
