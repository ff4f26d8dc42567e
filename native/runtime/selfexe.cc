#include "runtime/selfexe.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/memfd.h>
#include <linux/mount.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "base/failure.h"
#include "base/unique_fd.h"
#include "runtime/steps.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x0020
#endif

namespace tsrun {
namespace {

constexpr char kSelf[] = "/proc/self/exe";
constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

/// Judged by what the kernel says of the running file, never by an argument or a variable that a caller could
/// set.
bool isProtected() {
  UniqueFd self(open(kSelf, O_RDONLY | O_CLOEXEC));
  if (!self) fail(step::kHelperProtect, kSelf);
  const int seals = fcntl(self.get(), F_GET_SEALS);
  if (seals >= 0 && (seals & kSeals) == kSeals) return true;
  struct statfs system {};
  check(fstatfs(self.get(), &system), step::kHelperProtect, kSelf);
  if (system.f_type != OVERLAYFS_SUPER_MAGIC) return false;
  // On a read-only superblock (an overlay without upper directory) the answer is EROFS. A read-only *mount*
  // of a writable file system, which somebody may undo, gives ETXTBSY instead: that is asked before the mount
  // is.
  UniqueFd writable(open(kSelf, O_WRONLY | O_CLOEXEC));
  return !writable && errno == EROFS;
}

bool setOption(int context, const char* key, const char* value) {
  return syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, key, value, 0) == 0;
}

/// Without an upper directory the kernel wants two lower ones; `second` can be any directory outside of the
/// first.
UniqueFd overlayOf(const std::string& directory, const char* second, bool oneByOne) {
  UniqueFd context(static_cast<int>(syscall(SYS_fsopen, "overlay", FSOPEN_CLOEXEC)));
  if (!context) return {};
  const bool set = oneByOne ? setOption(context.get(), "lowerdir+", directory.c_str()) &&
                                  setOption(context.get(), "lowerdir+", second)
                            : setOption(context.get(), "lowerdir", (directory + ":" + second).c_str());
  if (!set || syscall(SYS_fsconfig, context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) return {};
  return context;
}

/// A file `name` of `directory` as seen through a new overlay that is mounted nowhere.
UniqueFd openThroughOverlay(const std::string& directory, const std::string& name, const char* second) {
  // One by one is the form that needs no escaping of ':' (6.7). Older kernels take any option first and
  // refuse it when the overlay is made: then they get the joined form.
  UniqueFd context = overlayOf(directory, second, true);
  if (!context && directory.find_first_of(":\\,") == std::string::npos)
    context = overlayOf(directory, second, false);
  if (!context) return {};
  UniqueFd mount(static_cast<int>(syscall(SYS_fsmount, context.get(), FSMOUNT_CLOEXEC,
                                          MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID)));
  if (!mount) return {};
  return UniqueFd(openat(mount.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
}

bool isSameFile(int overlaid, int original) {
  struct stat a {
  }, b{};
  // An overlay shows other device numbers, but size and times are the lower file's.
  return fstat(overlaid, &a) == 0 && fstat(original, &b) == 0 && S_ISREG(a.st_mode) &&
         a.st_size == b.st_size && a.st_mtim.tv_sec == b.st_mtim.tv_sec &&
         a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

UniqueFd overlaid(int self) {
  char path[4096];
  const ssize_t length = readlink(kSelf, path, sizeof path - 1);
  if (length <= 0 || path[0] != '/') return {};
  const std::string own(path, static_cast<std::size_t>(length));
  const std::size_t slash = own.rfind('/');
  const std::string directory = own.substr(0, slash), name = own.substr(slash + 1);
  if (directory.empty()) return {};
  for (const char* second : {"/dev", "/proc", "/sys"}) {
    const std::string prefix = std::string(second) + "/";
    if (directory == second || directory.compare(0, prefix.size(), prefix) == 0) continue;
    UniqueFd file = openThroughOverlay(directory, name, second);
    if (file && isSameFile(file.get(), self)) return file;
  }
  return {};
}

UniqueFd sealedCopy(int self) {
  // Executable by name first: a kernel told to make memfds non-executable refuses others (vm.memfd_noexec).
  UniqueFd copy(memfd_create("tsrun-runtime", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC));
  if (!copy && errno == EINVAL)
    copy = UniqueFd(memfd_create("tsrun-runtime", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!copy) fail(step::kHelperProtect, "memfd_create");
  struct stat status {};
  check(fstat(self, &status), step::kHelperProtect, kSelf);
  off_t offset = 0;
  while (offset < status.st_size) {
    const ssize_t sent =
        sendfile(copy.get(), self, &offset, static_cast<std::size_t>(status.st_size - offset));
    if (sent < 0 && errno == EINTR) continue;
    check(sent, step::kHelperProtect, kSelf);
    if (sent == 0)
      throw Failure(step::kHelperProtect, EIO, kSelf, "the file became shorter while it was copied");
  }
  if (fcntl(copy.get(), F_ADD_SEALS, kSeals | F_SEAL_EXEC) != 0) {
    check(fcntl(copy.get(), F_ADD_SEALS, kSeals), step::kHelperProtect, "F_ADD_SEALS");
  }
  return copy;
}

}  // namespace

void protectSelf(char** argv) {
  if (isProtected()) return;
  UniqueFd self(check(open(kSelf, O_RDONLY | O_CLOEXEC), step::kHelperProtect, kSelf));
  UniqueFd safe = overlaid(self.get());
  if (safe) syscall(SYS_execveat, safe.get(), "", argv, environ, AT_EMPTY_PATH);
  safe = sealedCopy(self.get());
  syscall(SYS_execveat, safe.get(), "", argv, environ, AT_EMPTY_PATH);
  fail(step::kHelperProtect, "execveat");
}

}  // namespace tsrun
