#include "runtime/masks.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>

#include "base/unique_fd.h"
#include "runtime/inroot.h"
#include "runtime/mount_api.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

constexpr std::uint64_t kFileCover = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
constexpr std::uint64_t kDirectoryCover = kFileCover | MOUNT_ATTR_NODEV;

/// A null device and an empty directory on a tmpfs of our own. Never the container's /dev/null: a neighbour
/// that shares its /dev could put a link in its place while we look (CVE-2025-31133).
struct Covers {
  UniqueFd null, directory;
};

bool isNull(int fd) {
  struct stat info;
  return fstat(fd, &info) == 0 && S_ISCHR(info.st_mode) && info.st_rdev == makedev(1, 3);
}

Covers makeCovers(int scratch, Report& report) {
  UniqueFd fs(sys::fsopen("tmpfs"));
  if (!fs) report.die("tmpfs");
  // One block and one inode beyond the three that are used here: it cannot be filled.
  if (sys::setString(fs.get(), "nr_blocks", "1") < 0 || sys::setString(fs.get(), "nr_inodes", "4") < 0 ||
      sys::setString(fs.get(), "mode", "755") < 0 || sys::createSuperblock(fs.get()) < 0)
    report.die("tmpfs");
  UniqueFd mount(sys::fsmount(fs.get(), 0));
  // Only what is attached in our namespace can be cloned (before 6.15), so it is attached where nobody looks.
  if (!mount || sys::attach(mount.get(), scratch) < 0) report.die("tmpfs");

  Covers covers;
  if (mkdirat(mount.get(), "empty", 0755) < 0) report.die("tmpfs");
  covers.directory.reset(openat(mount.get(), "empty", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (mknodat(mount.get(), "null", S_IFCHR | 0666, makedev(1, 3)) == 0)
    covers.null.reset(openat(mount.get(), "null", O_PATH | O_NOFOLLOW | O_CLOEXEC));
  else if (errno == EPERM)  // a user namespace: the host's own node, which its container cannot touch
    covers.null.reset(open("/dev/null", O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!covers.directory || !covers.null) report.die("tmpfs");
  if (!isNull(covers.null.get())) report.die(ENODEV, "/dev/null");
  return covers;
}

void attachReadOnly(int source, bool recursive, std::uint64_t attributes, int target, const char* path,
                    Report& report) {
  UniqueFd tree(sys::cloneTree(source, "", recursive));
  if (!tree || sys::setAttributes(tree.get(), recursive, attributes, 0) < 0 ||
      sys::attach(tree.get(), target) < 0)
    report.die(path);
}

/// An O_PATH fd, or an empty one if there is nothing at `path`.
UniqueFd openExisting(int root, const char* path, Report& report) {
  UniqueFd fd(openInRoot(root, path, O_PATH));
  if (!fd && errno != ENOENT && errno != ENOTDIR) report.die(path);
  return fd;
}

}  // namespace

void maskPaths(int root, const std::vector<std::string>& masked, const std::vector<std::string>& readonly,
               int scratch, Report& report) {
  report.step(step::kMask);
  for (const std::string& path : readonly) {
    UniqueFd target = openExisting(root, path.c_str(), report);
    if (target) attachReadOnly(target.get(), true, MOUNT_ATTR_RDONLY, target.get(), path.c_str(), report);
  }
  if (masked.empty()) return;
  const Covers covers = makeCovers(scratch, report);
  for (const std::string& path : masked) {
    UniqueFd target = openExisting(root, path.c_str(), report);
    if (!target) continue;
    struct stat info;
    if (fstat(target.get(), &info) < 0) report.die(path.c_str());
    const bool directory = S_ISDIR(info.st_mode);
    attachReadOnly(directory ? covers.directory.get() : covers.null.get(), false,
                   directory ? kDirectoryCover : kFileCover, target.get(), path.c_str(), report);
  }
}

}  // namespace tsrun
