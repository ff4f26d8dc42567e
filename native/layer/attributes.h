#pragma once
#include <sys/stat.h>

#include <map>
#include <string>

#include "layer/tar_format.h"

namespace tsrun {

/// An open file or directory, or a child of an open directory (the only way to reach the attributes of
/// symlinks and devices: they cannot be opened). Uses the working directory of the process for the latter.
struct Node {
  int fd = -1;
  int dir = -1;
  std::string name;

  static Node opened(int fd) { return {fd, -1, {}}; }
  static Node child(int dir, std::string name) { return {-1, dir, std::move(name)}; }
};

using Xattrs = std::map<std::string, std::string>;

/// All extended attributes that an image may have (acceptsXattr). Those in trusted.* only with CAP_SYS_ADMIN
/// in force.
Xattrs readXattrs(const Node& node, const char* step, const std::string& subject);

/// Owner, then mode (a change of owner clears setuid), then extended attributes, then (`times`) the
/// modification time. `subject` names the entry in errors. Symlinks have no mode.
struct Attributes {
  mode_t mode = 0;  ///< with the type
  uid_t uid = 0;
  gid_t gid = 0;
  timespec mtime{};
  Xattrs xattrs;
};
void setAttributes(const Node& node, const Attributes& attributes, bool times, const std::string& subject);

Attributes attributesOf(const Node& node, const struct stat& status, const std::string& subject);

/// What an image may set: not overlayfs' own attributes (a smuggled whiteout), and of security.* only file
/// capabilities, since labels and signatures are the host's to give.
bool acceptsXattr(const std::string& name);

/// Removes the attributes of an open directory that `keep` does not have; overlayfs' own stay.
void pruneXattrs(int fd, const Xattrs& keep, const std::string& subject);

}  // namespace tsrun
