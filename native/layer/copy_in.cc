#include "layer/copy_in.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/failure.h"
#include "layer/entry_node.h"
#include "layer/in_root.h"
#include "layer/layer_steps.h"
#include "runtime/remove.h"

namespace tsrun {
namespace {

constexpr const char* kStep = step::kLayerEntry;
constexpr int kOpenDir = O_RDONLY | O_DIRECTORY;

std::string joined(const std::string& parent, const std::string& child) {
  if (parent.empty() || child.empty()) return parent + child;
  return parent.ends_with('/') ? parent + child : parent + '/' + child;
}

std::uint64_t mountOf(int fd) {
  struct statx status;
  check(statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &status), step::kCopyPath, "mount");
  return status.stx_mnt_id;
}

void setAll(const Node& node, Attributes attributes, bool times, const std::string& subject) {
  try {
    setAttributes(node, attributes, times, subject);
  } catch (const Failure& failure) {
    // A file system without extended attributes takes the file all the same, as other programs see to it.
    if (failure.error != ENOTSUP || attributes.xattrs.empty()) throw;
    attributes.xattrs.clear();
    setAttributes(node, attributes, times, subject);
  }
}

}  // namespace

CopyIn::CopyIn(int root, CopyInRequest request) : root_(root), request_(std::move(request)) {
  std::string& target = request_.target;
  target.erase(0, target.find_first_not_of('/'));
  while (target.ends_with('/')) target.pop_back();
  const UniqueFd dir(openInRoot(root_, target, O_PATH));
  if (!dir) fail(step::kCopyPath, request_.shownTarget);
  struct stat status;
  check(fstat(dir.get(), &status), step::kCopyPath, request_.shownTarget);
  if (!S_ISDIR(status.st_mode))
    throw Failure(step::kCopyRefused, 0, request_.shownTarget, "extraction point is not a directory");
  if (request_.ofContainer) checkWritable(dir.get());
}

void CopyIn::checkWritable(int target) const {
  struct statfs system;
  check(fstatfs(target, &system), step::kCopyPath, request_.shownTarget);
  if ((system.f_flags & ST_RDONLY) == 0) return;
  throw Failure(step::kCopyRefused, 0, request_.shownTarget,
                mountOf(target) == mountOf(root_) ? "container rootfs is marked read-only"
                                                  : "mounted volume is marked read-only");
}

void CopyIn::failed(const char* call, const std::string& path) const {
  throw Failure(kStep, errno, shown(path), std::string(call) + ' ' + shown(path));
}

std::string CopyIn::below(const std::string& path) const {
  return joined(request_.target, path);
}

std::string CopyIn::shown(const std::string& path) const {
  return joined(request_.shownTarget, path);
}

void CopyIn::run(TarReader& reader) {
  TarEntry entry;
  while (reader.next(entry)) {
    ++entries_;
    apply(reader, entry);
  }
  reader.drain();
  setTimes();
}

void CopyIn::apply(TarReader& reader, const TarEntry& entry) {
  if (entry.name.empty()) throw Failure(kStep, 0, entry.name, "an entry without a name");
  const std::string path = renamed(cleanPath(entry.name), entry);
  if (path.empty()) {
    // The target itself: it is there, and stays as it is.
    if (entry.kind == NodeKind::directory) return;
    throw Failure(kStep, 0, entry.name, "it would take the place of the target");
  }
  const int dir = parentFor(path);
  const std::string name = baseOf(path);
  switch (entry.kind) {
    case NodeKind::directory:
      return directory(entry, dir, name, path);
    case NodeKind::file:
      return file(reader, entry, dir, path);
    case NodeKind::hardLink:
      return hardLink(entry, dir, name, path);
    default:
      return special(entry, dir, name, path);
  }
}

std::string CopyIn::renamed(const std::string& path, const TarEntry& entry) const {
  const std::string& base = request_.base;
  if (path == base) return request_.newBase;
  if (base.empty()) return joined(request_.newBase, path);
  if (!path.starts_with(base) || path[base.size()] != '/')
    throw Failure(kStep, 0, entry.name, "invalid copy source content: it is not below " + base);
  return joined(request_.newBase, path.substr(base.size() + 1));
}

int CopyIn::parentFor(const std::string& path) {
  const std::string parent = below(parentOf(path));
  if (parent == cachedPath_) return cachedDir_.get();
  cachedPath_.reset();
  cachedDir_ = ensureDirectory(parent, path);
  cachedPath_ = parent;
  return cachedDir_.get();
}

/// A directory that the archive does not name is made, as root's.
UniqueFd CopyIn::ensureDirectory(const std::string& path, const std::string& entry) {
  UniqueFd dir(openInRoot(root_, path, kOpenDir));
  if (dir) return dir;
  if (errno != ENOENT || path.empty()) failed("open", entry);
  const UniqueFd parent = ensureDirectory(parentOf(path), entry);
  const std::string name = baseOf(path);
  if (mkdirat(parent.get(), name.c_str(), 0755) < 0) failed("mkdir", entry);
  dir.reset(openChild(parent.get(), name, kOpenDir));
  if (!dir) failed("open", entry);
  return dir;
}

/// Of what came from a container, nothing may work for other users of this machine as it did in there.
Attributes CopyIn::allowed(const TarEntry& entry) const {
  Attributes attributes = attributesOf(entry);
  const bool all = request_.ownership == Ownership::archive;
  std::erase_if(attributes.xattrs, [&](const auto& item) {
    return !item.first.starts_with("user.") && !(all && item.first == "security.capability");
  });
  if (all) return attributes;
  attributes.uid = static_cast<uid_t>(-1);
  attributes.gid = static_cast<gid_t>(-1);
  const bool device = S_ISCHR(attributes.mode) || S_ISBLK(attributes.mode);
  const mode_t bits = device ? 0600 : S_ISDIR(attributes.mode) ? 01777 : 0777;
  attributes.mode &= S_IFMT | bits;
  return attributes;
}

/// Before anything is made: is what is there allowed to go?
void CopyIn::makeWay(int dir, const std::string& name, bool forDirectory, const std::string& path) {
  const auto old = statChild(dir, name, kStep);
  if (!old || !request_.keepKinds || S_ISDIR(old->st_mode) == forDirectory) return;
  const char* kinds[] = {"non-directory", "directory"};
  throw Failure(step::kCopyRefused, 0, shown(path),
                std::string("cannot overwrite ") + kinds[forDirectory ? 0 : 1] + " \"" + shown(path) +
                    "\" with " + kinds[forDirectory ? 1 : 0] + " \"" + request_.shownTarget + '"');
}

void CopyIn::removeOld(int dir, const std::string& name, const std::string& path) {
  if (unlinkat(dir, name.c_str(), 0) == 0 || errno == ENOENT) return;
  if (errno != EISDIR) failed("unlinkat", path);
  cachedPath_.reset();  // it may lie in what goes away
  removeTreeAt(dir, name);
}

void CopyIn::directory(const TarEntry& entry, int dir, const std::string& name, const std::string& path) {
  makeWay(dir, name, true, path);
  if (mkdirat(dir, name.c_str(), 0700) < 0) {
    if (errno != EEXIST) failed("mkdir", path);
    const auto old = statChild(dir, name, kStep);
    if (!old || !S_ISDIR(old->st_mode)) {
      removeOld(dir, name, path);
      if (mkdirat(dir, name.c_str(), 0700) < 0) failed("mkdir", path);
    }
  }
  const UniqueFd made(openChild(dir, name, kOpenDir));
  struct stat status;
  if (!made || fstat(made.get(), &status) < 0) failed("open", path);
  setAll(Node::opened(made.get()), allowed(entry), false, shown(path));
  times_.push_back({path, status.st_dev, status.st_ino, entry.mtime});
}

/// A file without a name, which gets one when it is complete; where a file system has no such files, one that
/// is in its place from the beginning.
UniqueFd CopyIn::openNewFile(int dir, const std::string& name, const std::string& path, bool& named) {
  UniqueFd made(openat(dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600));
  named = !made && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT);
  if (named) {
    removeOld(dir, name, path);
    made.reset(openat(dir, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  }
  if (!made) failed("open", path);
  return made;
}

void CopyIn::file(TarReader& reader, const TarEntry& entry, int dir, const std::string& path) {
  const std::string name = baseOf(path);
  makeWay(dir, name, false, path);
  bool named = false;
  const UniqueFd made = openNewFile(dir, name, path, named);
  try {
    writeBody(reader, entry, made.get());
    setAll(Node::opened(made.get()), allowed(entry), true, shown(path));
  } catch (const Failure& failure) {
    if (named) unlinkat(dir, name.c_str(), 0);  // half a file must not look like a whole one
    if (failure.error == 0 || failure.subject != entry.name) throw;
    errno = failure.error;
    failed("write", path);
  }
  if (named) return;
  removeOld(dir, name, path);
  if (linkat(made.get(), "", dir, name.c_str(), AT_EMPTY_PATH) < 0) failed("link", path);
}

/// No attributes: all names share the target's.
void CopyIn::hardLink(const TarEntry& entry, int dir, const std::string& name, const std::string& path) {
  const std::string target = renamed(cleanPath(entry.linkName), entry);
  const UniqueFd from(openInRoot(root_, below(parentOf(target)), kOpenDir));
  const auto source = from ? statChild(from.get(), baseOf(target), kStep) : std::nullopt;
  if (!source) {
    errno = ENOENT;
    failed("link", path);
  }
  const auto old = statChild(dir, name, kStep);
  if (old && old->st_dev == source->st_dev && old->st_ino == source->st_ino) return;
  makeWay(dir, name, false, path);
  if (old) removeOld(dir, name, path);
  if (linkat(from.get(), baseOf(target).c_str(), dir, name.c_str(), 0) < 0) failed("link", path);
}

void CopyIn::special(const TarEntry& entry, int dir, const std::string& name, const std::string& path) {
  Attributes attributes = allowed(entry);
  makeWay(dir, name, false, path);
  removeOld(dir, name, path);
  if (entry.kind == NodeKind::symlink) {
    if (symlinkat(entry.linkName.c_str(), dir, name.c_str()) < 0) failed("symlink", path);
  } else {
    const dev_t device = entry.kind == NodeKind::fifo ? 0 : makedev(entry.devMajor, entry.devMinor);
    if (mknodat(dir, name.c_str(), attributes.mode, device) < 0) failed("mknod", path);
    attributes.mode = S_IFLNK;  // it has its mode: chmod would follow a link that took its place
  }
  setAll(Node::child(dir, name), attributes, true, shown(path));
}

/// At the end, when nothing is made in them any more.
void CopyIn::setTimes() {
  for (const Time& time : times_) {
    const UniqueFd dir(openInRoot(root_, below(time.path), kOpenDir));
    struct stat status;
    if (!dir || fstat(dir.get(), &status) < 0) continue;  // replaced since
    if (status.st_ino != time.inode || status.st_dev != time.device) continue;
    const timespec both[2] = {time.mtime, time.mtime};
    if (futimens(dir.get(), both) < 0) failed("utimensat", time.path);
  }
}

}  // namespace tsrun
