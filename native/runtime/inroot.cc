#include "runtime/inroot.h"

#include <sys/stat.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>

#include "runtime/mount_api.h"

namespace tsrun {
namespace {

// openat2 answers EAGAIN when something was renamed while it resolved "..": a container that renames in a
// loop can delay us but not for ever.
constexpr int kTries = 128;
constexpr int kMaxLinks = 40;  // as the kernel's own MAXSYMLINKS

const char* skipSlashes(const char* path) {
  while (*path == '/') path++;
  return path;
}

/// Puts `link` in the place of the component of `path` that spans [start, end). False when it does not fit.
bool substitute(char* path, std::size_t start, std::size_t end, const char* link) {
  char result[PATH_MAX];
  const int prefix = link[0] == '/' ? 0 : static_cast<int>(start);
  const int length = std::snprintf(result, sizeof result, "%.*s%s%s", prefix, path, link, path + end);
  if (length < 0 || static_cast<std::size_t>(length) >= sizeof result) return false;
  std::memcpy(path, skipSlashes(result), std::strlen(skipSlashes(result)) + 1);
  return true;
}

int makeComponent(int parent, const char* name, Kind kind) {
  if (kind == Kind::directory) return mkdirat(parent, name, 0755);
  UniqueFd made(openat(parent, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, 0644));
  return made ? 0 : -1;
}

int resolve(int directory, const char* path, int flags, std::uint64_t how) {
  open_how wanted{};
  wanted.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  wanted.resolve = how | RESOLVE_NO_MAGICLINKS;
  for (int i = 0; i < kTries; i++) {
    const int fd = static_cast<int>(syscall(SYS_openat2, directory, path, &wanted, sizeof wanted));
    if (fd >= 0 || errno != EAGAIN) return fd;
  }
  return -1;
}

}  // namespace

int openInRoot(int root, const char* path, int flags, Links links) {
  const std::uint64_t followed = links == Links::refuse ? RESOLVE_NO_SYMLINKS : 0;
  const char* relative = skipSlashes(path);
  return resolve(root, *relative == '\0' ? "." : relative, flags, RESOLVE_IN_ROOT | followed);
}

int openBeneath(int directory, const char* path, int flags) {
  return resolve(directory, path, flags, RESOLVE_BENEATH);
}

Ensured ensureInRoot(int root, const char* path, Kind kind, Links links) {
  Ensured result;
  result.fd.reset(openInRoot(root, path, O_PATH, links));
  if (result.fd || errno != ENOENT) return result;

  char current[PATH_MAX], name[NAME_MAX + 1], link[PATH_MAX];
  path = skipSlashes(path);
  if (std::strlen(path) >= sizeof current) return errno = ENAMETOOLONG, Ensured{};
  std::strcpy(current, path);

  int followed = 0;
  UniqueFd parent(openInRoot(root, ".", O_PATH | O_DIRECTORY));
  for (std::size_t start = 0; current[start] != '\0';) {
    const std::size_t end = start + std::strcspn(current + start, "/");
    const char* next = skipSlashes(current + end);
    const bool last = *next == '\0';
    if (end - start > NAME_MAX) return errno = ENAMETOOLONG, Ensured{};
    std::memcpy(name, current + start, end - start);
    name[end - start] = '\0';

    // The prefix is resolved from the root each time, so that ".." and links in it mean what they mean
    // inside.
    const char separator = current[end];
    current[end] = '\0';
    result.created = false;
    result.fd.reset(openInRoot(root, current, O_PATH, links));
    if (!result.fd && errno == ENOENT) {
      if (makeComponent(parent.get(), name, last ? kind : Kind::directory) == 0) {
        result.created = true;
        result.fd.reset(openInRoot(root, current, O_PATH, links));
      } else if (errno == EEXIST) {
        // Somebody else made it, or it is a link that leads nowhere yet: what the link names is made instead.
        const ssize_t length = readlinkat(parent.get(), name, link, sizeof link - 1);
        if (++followed > kMaxLinks || (length >= 0 && links == Links::refuse))
          return errno = ELOOP, Ensured{};
        current[end] = separator;
        if (length < 0) continue;
        link[length] = '\0';
        if (!substitute(current, start, end, link)) return errno = ENAMETOOLONG, Ensured{};
        start = 0;
        parent.reset(openInRoot(root, ".", O_PATH | O_DIRECTORY));
        continue;
      }
    }
    current[end] = separator;
    if (!result.fd) return Ensured{};
    if (last) return result;
    parent = std::move(result.fd);
    start = static_cast<std::size_t>(next - current);
  }
  result.fd = std::move(parent);
  return result;
}

UniqueFd ensureParent(int root, const char* path, const char** name) {
  const char* slash = std::strrchr(path, '/');
  *name = slash ? slash + 1 : path;
  char parent[PATH_MAX];
  const std::size_t length = slash ? static_cast<std::size_t>(slash - path) : 0;
  if (length >= sizeof parent || **name == '\0') return errno = EINVAL, UniqueFd();
  std::memcpy(parent, path, length);
  parent[length] = '\0';
  return ensureInRoot(root, parent, Kind::directory).fd;
}

bool pathInRoot(int root, int fd, char* out, std::size_t size) {
  char link[64], base[PATH_MAX], full[PATH_MAX];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", root);
  const ssize_t baseLength = readlink(link, base, sizeof base);
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t fullLength = readlink(link, full, sizeof full);
  if (baseLength <= 0 || fullLength < baseLength ||
      std::memcmp(base, full, static_cast<std::size_t>(baseLength)) != 0)
    return false;
  const char* rest = full + baseLength;
  auto length = static_cast<std::size_t>(fullLength - baseLength);
  if (baseLength == 1) rest--, length++;  // the root is "/": keep its slash
  if (length == 0) rest = "/", length = 1;
  if (rest[0] != '/' || length >= size) return false;
  std::memcpy(out, rest, length);
  out[length] = '\0';
  return true;
}

}  // namespace tsrun
