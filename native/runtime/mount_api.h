#pragma once
/// The fd-based mount calls and openat2 as raw system calls: glibc wraps them only since 2.36, and its
/// <sys/mount.h> cannot be included beside <linux/mount.h>, so files that use this header include neither.
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif

namespace tsrun::sys {

inline int fsopen(const char* type) {
  return static_cast<int>(syscall(SYS_fsopen, type, FSOPEN_CLOEXEC));
}
inline int fsconfig(int fs, unsigned command, const char* key, const void* value, int aux = 0) {
  return static_cast<int>(syscall(SYS_fsconfig, fs, command, key, value, aux));
}
inline int setString(int fs, const char* key, const char* value) {
  return fsconfig(fs, FSCONFIG_SET_STRING, key, value);
}
inline int setFlag(int fs, const char* key) {
  return fsconfig(fs, FSCONFIG_SET_FLAG, key, nullptr);
}
inline int createSuperblock(int fs) {
  return fsconfig(fs, FSCONFIG_CMD_CREATE, nullptr, nullptr);
}
inline int fsmount(int fs, std::uint64_t attributes) {
  return static_cast<int>(syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, static_cast<unsigned>(attributes)));
}

/// A detached copy of the mount at `path` below `dir` (an empty path means `dir` itself).
inline int cloneTree(int dir, const char* path, bool recursive) {
  unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;
  if (recursive) flags |= AT_RECURSIVE;
  if (*path == '\0') flags |= AT_EMPTY_PATH;
  return static_cast<int>(syscall(SYS_open_tree, dir, path, flags));
}
/// Attaches the detached mount `tree` at the directory or file that `target` holds.
inline int attach(int tree, int target) {
  return static_cast<int>(
      syscall(SYS_move_mount, tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
}
inline int setAttributes(int mount, bool recursive, std::uint64_t set, std::uint64_t clear,
                         std::uint64_t propagation = 0) {
  mount_attr attr{};
  attr.attr_set = set;
  attr.attr_clr = clear;
  attr.propagation = propagation;
  const unsigned flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);
  return static_cast<int>(syscall(SYS_mount_setattr, mount, "", flags, &attr, sizeof attr));
}

/// Maps the ids of the detached mount `mount` as the user namespace `ids` does.
inline int mapIds(int mount, bool recursive, int ids) {
  mount_attr attr{};
  attr.attr_set = MOUNT_ATTR_IDMAP;
  attr.userns_fd = static_cast<std::uint64_t>(ids);
  const unsigned flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);
  return static_cast<int>(syscall(SYS_mount_setattr, mount, "", flags, &attr, sizeof attr));
}

inline int mount(const char* source, const char* target, const char* type, unsigned long flags,
                 const void* data) {
  return static_cast<int>(syscall(SYS_mount, source, target, type, flags, data));
}
inline int unmountDetached(const char* target) {
  constexpr int kDetach = 2;  // MNT_DETACH, which only <sys/mount.h> defines
  return static_cast<int>(syscall(SYS_umount2, target, kDetach));
}
inline int pivotRoot(const char* newRoot, const char* putOld) {
  return static_cast<int>(syscall(SYS_pivot_root, newRoot, putOld));
}

}  // namespace tsrun::sys
