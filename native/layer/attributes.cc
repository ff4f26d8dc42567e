#include "layer/attributes.h"

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/failure.h"
#include "layer/layer_steps.h"
#include "layer/overlay.h"
#include "layer/privilege.h"

namespace tsrun {
namespace {

void enter(const Node& node, const char* step, const std::string& subject) {
  if (node.fd < 0) check(fchdir(node.dir), step, subject);
}

/// Calls until the buffer fits what another process may just have made longer.
template <typename Call>
bool readGrowing(std::string& buffer, Call call) {
  buffer.resize(256);
  for (;;) {
    const ssize_t size = call(buffer.data(), buffer.size());
    if (size >= 0) {
      buffer.resize(static_cast<std::size_t>(size));
      return true;
    }
    if (errno != ERANGE || buffer.size() > (1U << 20)) return false;
    buffer.resize(buffer.size() * 4);
  }
}

bool hasNamespace(const std::string& name) {
  return name.starts_with("user.") || name.starts_with("trusted.") || name.starts_with("security.") ||
         name.starts_with("system.");
}

void setXattr(const Node& node, const std::string& name, const std::string& value, mode_t mode,
              const std::string& subject) {
  const auto set = [&] {
    return node.fd >= 0 ? fsetxattr(node.fd, name.c_str(), value.data(), value.size(), 0)
                        : lsetxattr(node.name.c_str(), name.c_str(), value.data(), value.size(), 0);
  };
  int result;
  if (name.starts_with("trusted.")) {
    const AdminScope admin;
    result = set();
  } else {
    result = set();
  }
  if (result == 0) return;
  // user.* exists on files and directories only; archives carry it for links and devices all the same.
  const bool pointless = name.starts_with("user.") && !S_ISREG(mode) && !S_ISDIR(mode);
  if (pointless && (errno == EPERM || errno == ENOTSUP)) return;
  // ENOTSUP for a namespace that no kernel has is the archive's fault; for the others it is the file
  // system's.
  if (errno == ENOTSUP && !hasNamespace(name)) errno = EINVAL;
  throw Failure(step::kLayerEntry, errno, subject, "set extended attribute " + name);
}

}  // namespace

bool isOpaque(int dir) {
  char value;
  return fgetxattr(dir, kOpaqueAttribute, &value, 1) == 1 && value == 'y';
}

bool acceptsXattr(const std::string& name) {
  if (isOverlayAttribute(name)) return false;
  return !name.starts_with("security.") || name == "security.capability";
}

Xattrs readXattrs(const Node& node, const char* step, const std::string& subject) {
  enter(node, step, subject);
  Xattrs attributes;
  std::string list;
  const bool listed = readGrowing(list, [&](char* into, std::size_t size) {
    return node.fd >= 0 ? flistxattr(node.fd, into, size) : llistxattr(node.name.c_str(), into, size);
  });
  if (!listed) {
    if (errno == ENOTSUP) return attributes;
    fail(step, subject);
  }
  for (std::size_t at = 0; at < list.size(); at += std::string_view(list.c_str() + at).size() + 1) {
    const std::string name = list.c_str() + at;
    if (!acceptsXattr(name)) continue;
    std::string value;
    const bool got = readGrowing(value, [&](char* into, std::size_t size) {
      return node.fd >= 0 ? fgetxattr(node.fd, name.c_str(), into, size)
                          : lgetxattr(node.name.c_str(), name.c_str(), into, size);
    });
    if (got) {
      attributes.emplace(name, std::move(value));
    } else if (errno != ENODATA) {
      fail(step, subject);
    }
  }
  return attributes;
}

Attributes attributesOf(const Node& node, const struct stat& status, const std::string& subject) {
  const AdminScope admin;
  return {status.st_mode, status.st_uid, status.st_gid, status.st_mtim,
          readXattrs(node, step::kLayerEntry, subject)};
}

void setAttributes(const Node& node, const Attributes& attributes, bool times, const std::string& subject) {
  const char* step = step::kLayerEntry;
  enter(node, step, subject);
  const mode_t bits = attributes.mode & 07777;
  const timespec both[2] = {attributes.mtime, attributes.mtime};
  if (node.fd >= 0) {
    check(fchown(node.fd, attributes.uid, attributes.gid), step, subject);
    check(fchmod(node.fd, bits), step, subject);
  } else {
    check(fchownat(node.dir, node.name.c_str(), attributes.uid, attributes.gid, AT_SYMLINK_NOFOLLOW), step,
          subject);
    // fchmodat would follow a link; of what is reached by name only symlinks have no mode of their own.
    if (!S_ISLNK(attributes.mode)) check(fchmodat(node.dir, node.name.c_str(), bits, 0), step, subject);
  }
  for (const auto& [name, value] : attributes.xattrs) {
    if (acceptsXattr(name)) setXattr(node, name, value, attributes.mode, subject);
  }
  if (!times) return;
  if (node.fd >= 0) {
    check(futimens(node.fd, both), step, subject);
  } else {
    check(utimensat(node.dir, node.name.c_str(), both, AT_SYMLINK_NOFOLLOW), step, subject);
  }
}

void pruneXattrs(int fd, const Xattrs& keep, const std::string& subject) {
  const AdminScope admin;
  for (const auto& [name, value] : readXattrs(Node::opened(fd), step::kLayerEntry, subject)) {
    if (!keep.contains(name)) check(fremovexattr(fd, name.c_str()), step::kLayerEntry, subject);
  }
}

}  // namespace tsrun
