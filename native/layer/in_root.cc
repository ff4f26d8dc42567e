#include "layer/in_root.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/failure.h"
#include "layer/layer_steps.h"
#include "layer/limits.h"

namespace tsrun {
namespace {

int openat2Retrying(int dir, const char* path, int flags, std::uint64_t resolve) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags) | O_CLOEXEC;
  how.resolve = resolve;
  // EAGAIN: a rename somewhere raced with `..`; nobody renames inside our root, so few tries are plenty.
  for (int tries = 0;; ++tries) {
    const long fd = syscall(SYS_openat2, dir, path, &how, sizeof how);
    if (fd >= 0 || (errno != EAGAIN && errno != EINTR) || tries == 128) return static_cast<int>(fd);
  }
}

}  // namespace

int openInRoot(int root, const std::string& path, int flags) {
  return openat2Retrying(root, path.empty() ? "." : path.c_str(), flags,
                         RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

int openChild(int dir, const std::string& name, int flags) {
  return openat2Retrying(dir, name.c_str(), flags | O_NOFOLLOW, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

std::optional<struct stat> statChild(int dir, const std::string& name, const char* step) {
  struct stat status;
  if (fstatat(dir, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) return status;
  if (errno == ENOENT) return std::nullopt;
  fail(step, name);
}

std::string readLink(int dir, const std::string& name, const char* step) {
  char target[limits::kPath];
  const ssize_t size = check(readlinkat(dir, name.c_str(), target, sizeof target), step, name);
  return {target, static_cast<std::size_t>(size)};
}

std::vector<std::string> listDirectory(int dir, const char* step, const std::string& subject) {
  // A descriptor of its own: closedir closes it, and the caller's keeps its position.
  UniqueFd own(check(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), step, subject));
  DIR* stream = fdopendir(own.get());
  if (stream == nullptr) fail(step, subject);
  own.release();
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = readdir(stream)) {
    if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0)
      names.emplace_back(entry->d_name);
    errno = 0;
  }
  const int error = errno;
  closedir(stream);
  if (error != 0) throw Failure(step, error, subject);
  return names;
}

std::string cleanPath(std::string_view name) {
  if (name.size() > limits::kPath)
    throw Failure(step::kLayerEntry, ENAMETOOLONG, std::string(name.substr(0, 256)));
  std::string path;
  std::size_t depth = 0;
  for (const std::string& component : componentsOf(name)) {
    if (component == ".") continue;
    if (component == "..") {
      if (depth-- == 0)
        throw Failure(step::kLayerEntry, 0, std::string(name), "invalid path: it leaves the root");
      path = parentOf(path);
      continue;
    }
    if (++depth > limits::kDepth) {
      throw Failure(step::kLayerEntry, ENAMETOOLONG, std::string(name.substr(0, 256)),
                    "too many directories");
    }
    if (!path.empty()) path += '/';
    path += component;
  }
  return path;
}

std::string parentOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

std::string baseOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

std::vector<std::string> componentsOf(std::string_view path) {
  std::vector<std::string> components;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view component = path.substr(0, slash);
    if (!component.empty()) components.emplace_back(component);
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  }
  return components;
}

}  // namespace tsrun
