#include "runtime/remove.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/failure.h"
#include "base/unique_fd.h"

namespace tsrun {
namespace {

constexpr char kStep[] = "remove";

/// RESOLVE_NO_XDEV makes the kernel refuse, with EXDEV, to cross into any other mount, be it of the same file
/// system.
int openDirectory(int parent, const char* name) {
  open_how how{};
  how.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  how.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  long fd;
  do {
    fd = syscall(SYS_openat2, parent, name, &how, sizeof how);
  } while (fd < 0 && (errno == EAGAIN || errno == EINTR));
  return static_cast<int>(fd);
}

/// A tree of any depth with one open directory: the way back is `..`, checked to be the directory that we
/// came from.
class Remover {
 public:
  Remover(int parent, const std::string& name) : parent_(parent), name_(name) {}

  void run() {
    if (!unlinkOrEnter(parent_, name_)) return;
    while (!levels_.empty()) {
      Level& level = levels_.back();
      if (level.subdirectories.empty()) {
        leave();
        continue;
      }
      const std::string name = std::move(level.subdirectories.back());
      level.subdirectories.pop_back();
      unlinkOrEnter(dir_.get(), name);
    }
  }

 private:
  struct Level {
    std::string name;
    dev_t device;
    ino_t inode;
    std::vector<std::string> subdirectories;
    int tries = 0;
  };

  std::string pathOf(const std::string& last) const {
    std::string path;
    for (const Level& level : levels_) path += level.name + '/';
    return path + last;
  }

  [[noreturn]] void failAt(const std::string& name) const { fail(kStep, pathOf(name)); }

  /// True if `name` is a directory, which then is the current one, everything but its subdirectories gone.
  bool unlinkOrEnter(int parent, const std::string& name) {
    if (unlinkat(parent, name.c_str(), 0) == 0 || errno == ENOENT) return false;
    if (errno != EISDIR && errno != EPERM) failAt(name);  // POSIX says EPERM for a directory
    int fd = openDirectory(parent, name.c_str());
    if (fd < 0 && errno == EACCES && fchmodat(parent, name.c_str(), 0700, 0) == 0) {
      fd = openDirectory(parent,
                         name.c_str());  // an owner without privileges and a directory without permissions
    }
    if (fd < 0 && errno == ENOENT) return false;
    if (fd < 0 && errno == ENOTDIR) errno = EPERM;  // a file that may not be unlinked after all
    if (fd < 0) failAt(name);
    dir_.reset(fd);
    struct stat status;
    if (fstat(fd, &status) != 0) failAt(name);
    levels_.push_back({name, status.st_dev, status.st_ino, {}});
    empty();
    return true;
  }

  /// Unlinks what the current directory holds; its subdirectories are noted for later.
  void empty() {
    UniqueFd own(openat(dir_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!own && errno == EACCES && fchmod(dir_.get(), 0700) == 0) {
      own.reset(openat(dir_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    }
    if (!own) {
      if (errno == ENOENT) return;  // somebody else removed it
      failAt("");
    }
    DIR* stream = fdopendir(own.get());
    if (stream == nullptr) failAt("");
    own.release();
    const struct Closer {
      DIR* stream;
      ~Closer() { closedir(stream); }
    } closer{stream};
    errno = 0;
    while (const dirent* entry = readdir(stream)) {
      if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0)
        remove(entry->d_name);
      errno = 0;
    }
    if (errno != 0) failAt("");
  }

  void remove(const char* name) {
    if (unlinkat(dir_.get(), name, 0) == 0 || errno == ENOENT) return;
    if (errno == EISDIR || errno == EPERM) {
      const int error = errno;
      struct stat status;
      const bool there = fstatat(dir_.get(), name, &status, AT_SYMLINK_NOFOLLOW) == 0;
      if (!there && errno == ENOENT) return;
      if (there && S_ISDIR(status.st_mode)) {
        levels_.back().subdirectories.emplace_back(name);
        return;
      }
      errno = error;
    } else if (errno == EACCES && fchmod(dir_.get(), 0700) == 0 && unlinkat(dir_.get(), name, 0) == 0) {
      return;
    }
    failAt(name);
  }

  /// Goes up and removes the directory just emptied.
  void leave() {
    const std::string name = levels_.back().name;
    if (levels_.size() == 1) {
      dir_.reset();
      if (removeDirectory(parent_, name)) levels_.pop_back();
      return;
    }
    const Level& above = levels_[levels_.size() - 2];
    UniqueFd up(openDirectory(dir_.get(), ".."));
    struct stat status;
    if (!up || fstat(up.get(), &status) != 0) failAt("");
    if (status.st_dev != above.device || status.st_ino != above.inode) {
      throw Failure(kStep, ESTALE, pathOf(""), "moved while it was removed");
    }
    if (!removeDirectory(up.get(), name)) return;
    levels_.pop_back();
    dir_ = std::move(up);
  }

  /// False if something was added meanwhile: then it has been emptied again and is still the current
  /// directory.
  bool removeDirectory(int parent, const std::string& name) {
    if (unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return true;
    if ((errno != ENOTEMPTY && errno != EEXIST) || ++levels_.back().tries > 8) failAt("");
    dir_.reset(openDirectory(parent, name.c_str()));
    if (!dir_) failAt("");
    empty();
    return false;
  }

  int parent_;
  std::string name_;
  UniqueFd dir_;
  std::vector<Level> levels_;
};

}  // namespace

void removeTreeAt(int dir, const std::string& name) {
  Remover(dir, name).run();
}

void removeTree(const std::string& path) {
  std::string trimmed = path;
  while (trimmed.size() > 1 && trimmed.ends_with('/')) trimmed.pop_back();
  const std::size_t slash = trimmed.rfind('/');
  const std::string parent = slash == std::string::npos ? "." : trimmed.substr(0, slash + 1);
  const std::string name = trimmed.substr(slash == std::string::npos ? 0 : slash + 1);
  if (name.empty() || name == "." || name == "..") throw Failure(kStep, EINVAL, path);
  const UniqueFd dir(open(parent.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!dir) {
    if (errno == ENOENT) return;
    fail(kStep, path);
  }
  try {
    removeTreeAt(dir.get(), name);
  } catch (const Failure& failure) {
    throw Failure(failure.step, failure.error, parent + failure.subject, failure.detail);
  }
}

}  // namespace tsrun
