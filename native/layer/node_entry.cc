#include "layer/node_entry.h"

#include <fcntl.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <memory>

#include "base/failure.h"
#include "layer/attributes.h"
#include "layer/in_root.h"
#include "layer/layer_steps.h"

namespace tsrun {
namespace {

constexpr const char* kStep = step::kLayerWalk;

NodeKind kindOf(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFDIR:
      return NodeKind::directory;
    case S_IFLNK:
      return NodeKind::symlink;
    case S_IFCHR:
      return NodeKind::charDevice;
    case S_IFBLK:
      return NodeKind::blockDevice;
    case S_IFIFO:
      return NodeKind::fifo;
    default:
      return NodeKind::file;
  }
}

}  // namespace

TarEntry entryOf(int dir, const std::string& name, const struct stat& status, const std::string& path) {
  TarEntry entry;
  entry.kind = kindOf(status.st_mode);
  entry.name = path;
  entry.mode = status.st_mode & 07777;
  entry.uid = status.st_uid;
  entry.gid = status.st_gid;
  entry.mtime = status.st_mtim;
  entry.devMajor = major(status.st_rdev);
  entry.devMinor = minor(status.st_rdev);
  entry.xattrs = readXattrs(Node::child(dir, name), kStep, path);
  if (entry.kind == NodeKind::symlink) entry.linkName = readLink(dir, name, kStep);
  return entry;
}

// O_NONBLOCK: were it a FIFO by now, open would wait for a writer that never comes.
NodeFile::NodeFile(int dir, const std::string& name, const struct stat& status, std::string path)
    : path_(std::move(path)), file_(check(openChild(dir, name, O_RDONLY | O_NONBLOCK), kStep, path_)) {
  struct stat now;
  check(fstat(file_.get(), &now), kStep, path_);
  if (now.st_ino != status.st_ino || !S_ISREG(now.st_mode))
    throw Failure(kStep, ESTALE, path_, "replaced while it was read");
  size_ = static_cast<std::uint64_t>(now.st_size);
}

void NodeFile::write(TarWriter& writer) const {
  constexpr std::size_t kBuffer = 128 << 10;
  const auto buffer = std::make_unique_for_overwrite<unsigned char[]>(kBuffer);
  std::uint64_t left = size_;
  while (left > 0) {
    const std::size_t want = std::min<std::uint64_t>(left, kBuffer);
    const std::size_t got = readSome(file_.get(), buffer.get(), want, kStep, path_);
    if (got == 0) break;
    writer.body({buffer.get(), got});
    left -= got;
  }
  writer.pad(left);
  writer.endBody(size_);
}

}  // namespace tsrun
