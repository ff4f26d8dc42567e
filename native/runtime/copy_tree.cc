#include "runtime/copy_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>

#include "base/unique_fd.h"

namespace tsrun {
namespace {

/// Entries of an open directory by getdents64, as opendir allocates.
class Entries {
 public:
  explicit Entries(int directory) : directory_(directory) {}

  /// The next name but "." and ".."; nullptr at the end or on an error (errno is 0 at the end).
  const char* next() {
    for (;;) {
      if (at_ >= length_) {
        length_ = syscall(SYS_getdents64, directory_, buffer_, sizeof buffer_);
        at_ = 0;
        if (length_ <= 0) {
          if (length_ == 0) errno = 0;
          return nullptr;
        }
      }
      const auto* entry = reinterpret_cast<const dirent64*>(buffer_ + at_);
      at_ += entry->d_reclen;
      if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0) return entry->d_name;
    }
  }

 private:
  int directory_;
  long at_ = 0, length_ = 0;
  alignas(dirent64) char buffer_[2048];
};

// Shared by all levels of a recursion: an xattr list and an xattr value are at most 64 KiB each.
char listBuffer[XATTR_LIST_MAX];
char valueBuffer[XATTR_SIZE_MAX];

/// Paths through /proc/self/fd, as only the l*xattr calls can name a symlink or a device without opening it.
struct ProcPath {
  char text[NAME_MAX + 40];
  ProcPath(int directory, const char* name) {
    std::snprintf(text, sizeof text, "/proc/self/fd/%d/%s", directory, name);
  }
};

bool copyXattrs(const char* from, const char* to) {
  const ssize_t size = llistxattr(from, listBuffer, sizeof listBuffer);
  if (size < 0) return errno == ENOTSUP;
  for (const char* name = listBuffer; name < listBuffer + size; name += std::strlen(name) + 1) {
    const ssize_t length = lgetxattr(from, name, valueBuffer, sizeof valueBuffer);
    if (length < 0 && errno == ENODATA) continue;
    // A label of a security module belongs to the file system it came from; the target's policy gives its
    // own.
    if (std::strcmp(name, "security.selinux") == 0) continue;
    if (length < 0 || lsetxattr(to, name, valueBuffer, static_cast<size_t>(length), 0) < 0) return false;
  }
  return true;
}

bool setTimes(int directory, const char* name, const struct stat& info) {
  const timespec times[2] = {info.st_atim, info.st_mtim};
  return utimensat(directory, name, times, AT_SYMLINK_NOFOLLOW) == 0;
}

bool copyData(int from, int to, off_t size) {
  for (off_t at = 0; at < size;) {
    const off_t data = lseek(from, at, SEEK_DATA);
    if (data < 0 && errno == ENXIO) break;  // a hole to the end
    const off_t hole = data < 0 ? size : lseek(from, data, SEEK_HOLE);
    off_t position = data < 0 ? at : data;
    const off_t end = hole < 0 ? size : hole;
    if (lseek(to, position, SEEK_SET) < 0) return false;
    while (position < end) {
      const ssize_t sent = sendfile(to, from, &position, static_cast<size_t>(end - position));
      if (sent < 0) return false;
      if (sent == 0) break;
    }
    at = end;
  }
  return ftruncate(to, size) == 0;
}

bool copyFile(int from, int to, const char* name, const struct stat& info) {
  UniqueFd source(openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!source) return false;
  UniqueFd target(openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  return target && copyData(source.get(), target.get(), info.st_size);
}

bool copyLink(int from, int to, const char* name) {
  char target[PATH_MAX];
  const ssize_t length = readlinkat(from, name, target, sizeof target - 1);
  if (length < 0) return false;
  target[length] = '\0';
  return symlinkat(target, to, name) == 0;
}

/// Owner first (it clears set-id bits and file capabilities), then xattrs, mode and times.
bool copyAttributes(int from, int to, const char* name, const struct stat& info) {
  if (fchownat(to, name, info.st_uid, info.st_gid, AT_SYMLINK_NOFOLLOW) < 0) return false;
  if (!copyXattrs(ProcPath(from, name).text, ProcPath(to, name).text)) return false;
  if (!S_ISLNK(info.st_mode) && fchmodat(to, name, info.st_mode & 07777, 0) < 0) return false;
  return setTimes(to, name, info);
}

void append(char* path, size_t size, size_t length, const char* name) {
  std::snprintf(path + length, size - length, "%s%s", length > 0 ? "/" : "", name);
}

bool copyLevel(int from, int to, CopyError& error) {
  const size_t length = std::strlen(error.path);
  Entries entries(from);
  while (const char* name = entries.next()) {
    append(error.path, sizeof error.path, length, name);
    struct stat info;
    bool done = fstatat(from, name, &info, AT_SYMLINK_NOFOLLOW) == 0;
    if (done && S_ISSOCK(info.st_mode)) {
      error.path[length] = '\0';
      continue;
    }
    if (done && S_ISDIR(info.st_mode)) {
      UniqueFd source(openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      done = source && mkdirat(to, name, 0700) == 0;
      UniqueFd target(done ? openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1);
      done = target && copyLevel(source.get(), target.get(), error);
      if (!done && error.error != 0) return false;  // the path names the deepest place already
    } else if (done && S_ISREG(info.st_mode)) {
      done = copyFile(from, to, name, info);
    } else if (done && S_ISLNK(info.st_mode)) {
      done = copyLink(from, to, name);
    } else if (done) {
      done = mknodat(to, name, info.st_mode & (S_IFMT | 0600), info.st_rdev) == 0;
    }
    if (!done || !copyAttributes(from, to, name, info)) {
      error.error = errno;
      return false;
    }
    error.path[length] = '\0';
  }
  error.error = errno;
  return error.error == 0;
}

}  // namespace

bool copyDirectoryAttributes(int from, int to) {
  struct stat info;
  return fstat(from, &info) == 0 && copyAttributes(from, to, ".", info);
}

bool copyTree(int from, int to, CopyError& error) {
  if (!copyLevel(from, to, error)) return false;
  if (copyDirectoryAttributes(from, to)) return true;
  error.error = errno;
  return false;
}

bool removeContent(int directory) {
  // Removing while listing may make the kernel skip entries: list again until nothing is left.
  for (;;) {
    if (lseek(directory, 0, SEEK_SET) < 0) return false;
    Entries entries(directory);
    bool any = false;
    while (const char* name = entries.next()) {
      any = true;
      if (unlinkat(directory, name, 0) == 0) continue;
      if (errno != EISDIR) return false;
      UniqueFd child(openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (!child || !removeContent(child.get()) || unlinkat(directory, name, AT_REMOVEDIR) < 0) return false;
    }
    if (errno != 0) return false;
    if (!any) return true;
  }
}

bool isEmptyDirectory(int directory) {
  if (lseek(directory, 0, SEEK_SET) < 0) return false;
  Entries entries(directory);
  const bool empty = entries.next() == nullptr;
  if (!empty) errno = 0;
  return empty && errno == 0;
}

}  // namespace tsrun
