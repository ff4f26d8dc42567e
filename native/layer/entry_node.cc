#include "layer/entry_node.h"

#include <unistd.h>

#include <algorithm>

#include "base/failure.h"
#include "layer/bytes.h"
#include "layer/layer_steps.h"

namespace tsrun {
namespace {

constexpr const char* kStep = step::kLayerEntry;

void pwriteAll(int fd, Bytes bytes, off_t at, const std::string& subject) {
  while (!bytes.empty()) {
    const ssize_t wrote = pwrite(fd, bytes.data(), bytes.size(), at);
    if (wrote < 0 && errno == EINTR) continue;
    check(wrote, kStep, subject);
    bytes = bytes.subspan(static_cast<std::size_t>(wrote));
    at += wrote;
  }
}

void writeSparse(TarReader& reader, const TarEntry& entry, int fd) {
  check(ftruncate(fd, static_cast<off_t>(entry.fileSize)), kStep, entry.name);
  auto extent = entry.extents.begin();  // the reader has checked that they hold the body exactly
  std::uint64_t done = 0;
  for (Bytes piece = reader.body(); !piece.empty(); piece = reader.body()) {
    while (!piece.empty()) {
      const std::size_t part = std::min<std::uint64_t>(piece.size(), extent->size - done);
      pwriteAll(fd, piece.first(part), static_cast<off_t>(extent->offset + done), entry.name);
      piece = piece.subspan(part);
      done += part;
      if (done == extent->size) {
        ++extent;
        done = 0;
      }
    }
  }
}

}  // namespace

mode_t typeOf(NodeKind kind) {
  switch (kind) {
    case NodeKind::symlink:
      return S_IFLNK;
    case NodeKind::charDevice:
      return S_IFCHR;
    case NodeKind::blockDevice:
      return S_IFBLK;
    case NodeKind::directory:
      return S_IFDIR;
    case NodeKind::fifo:
      return S_IFIFO;
    case NodeKind::file:
    case NodeKind::hardLink:
      break;
  }
  return S_IFREG;
}

Attributes attributesOf(const TarEntry& entry) {
  return {typeOf(entry.kind) | entry.mode, entry.uid, entry.gid, entry.mtime, entry.xattrs};
}

void writeBody(TarReader& reader, const TarEntry& entry, int fd) {
  if (entry.sparse) return writeSparse(reader, entry, fd);
  for (Bytes piece = reader.body(); !piece.empty(); piece = reader.body()) {
    writeAll(fd, piece.data(), piece.size(), kStep, entry.name);
  }
}

}  // namespace tsrun
