#include "runtime/overlay.h"

#include <linux/securebits.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>

#include "base/failure.h"
#include "runtime/mount_api.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

constexpr std::size_t kMaxLower = 500;  // OVL_MAX_STACK; the 501st is EINVAL
/// One overlay of the oldest 500 in the place of one: two such would not do, since the whiteouts of the newer
/// one would hide nothing in the older.
constexpr std::size_t kMost = 2 * kMaxLower - 1;

// redirect_dir, metacopy and index would put private xattrs into the upper directory that a layer must not
// carry.
constexpr const char* kOptions[][2] = {{"redirect_dir", "off"}, {"metacopy", "off"}, {"index", "off"}};

/// While it lives, we are the mapped root to file systems: overlayfs makes directories of its own as whoever
/// mounts it, and in mapped layers there is no other root. Capabilities stay.
class AsMappedRoot {
 public:
  AsMappedRoot(const MappedIds& ids, Report& report) : active_(ids.userNamespace >= 0) {
    if (!active_) return;
    if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP) < 0) report.die("securebits");
    setfsgid(ids.gid);
    setfsuid(ids.uid);
  }
  ~AsMappedRoot() {
    if (!active_) return;
    setfsuid(0);
    setfsgid(0);
  }

 private:
  bool active_;
};

struct Directories {
  int lower[kMaxLower];
  std::size_t count = 0;
  UniqueFd upper, work;
  bool isVolatile = false;
  ~Directories() {
    for (std::size_t i = 0; i < count; i++) close(lower[i]);
  }
};

int openDirectory(const std::string& path, Report& report) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) report.die(path.c_str());
  return fd;
}

/// The directory as a mount of its own with its ids mapped, over itself: overlayfs takes nothing from a mount
/// that is nowhere (before 6.15).
int mapDirectory(const std::string& path, const MappedIds& ids, Report& report) {
  const UniqueFd place(openDirectory(path, report));
  const int tree = sys::cloneTree(place.get(), "", false);
  if (tree < 0) report.die(path.c_str());
  if (sys::mapIds(tree, false, ids.userNamespace) < 0)
    report.die(errno, path.c_str(), "this file system cannot be mounted with mapped ids");
  if (sys::attach(tree, place.get()) < 0) report.die(path.c_str());
  return tree;
}

void addLower(Directories& dirs, const std::string& path, const MappedIds& ids, Report& report) {
  dirs.lower[dirs.count++] =
      ids.userNamespace < 0 ? openDirectory(path, report) : mapDirectory(path, ids, report);
}

/// A directory as an fd (6.13 and later), else as a path to the fd: short, as an fsconfig string holds 255
/// bytes.
int setDirectory(int fs, const char* key, int fd) {
  if (sys::fsconfig(fs, FSCONFIG_SET_FD, key, nullptr, fd) == 0) return 0;
  if (errno != EINVAL) return -1;
  char path[40];
  std::snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  return sys::setString(fs, key, path);
}

/// The mount by fsopen, not attached yet. -1 with EINVAL or ENOSYS when this kernel does not know `lowerdir+`
/// (before 6.7) or fsopen.
int mountByFd(const Directories& dirs) {
  UniqueFd fs(sys::fsopen("overlay"));
  if (!fs || sys::setString(fs.get(), "source", "overlay") < 0) return -1;
  for (std::size_t i = 0; i < dirs.count; i++)
    if (setDirectory(fs.get(), "lowerdir+", dirs.lower[i]) < 0) return -1;
  if (dirs.upper && setDirectory(fs.get(), "upperdir", dirs.upper.get()) < 0) return -1;
  if (dirs.upper && setDirectory(fs.get(), "workdir", dirs.work.get()) < 0) return -1;
  for (const auto& [key, value] : kOptions)
    if (sys::setString(fs.get(), key, value) < 0) return -1;
  if (dirs.isVolatile && sys::setFlag(fs.get(), "volatile") < 0) return -1;
  if (sys::createSuperblock(fs.get()) < 0) return -1;
  return sys::fsmount(fs.get(), 0);
}

bool isTooOld(int error) {
  return error == EINVAL || error == EOPNOTSUPP || error == ENOSYS;
}

/// mount(2) takes one page of options: 500 paths would not fit, 500 numbers relative to /proc/self/fd do.
int mountByOptions(const char* target, const Directories& dirs) {
  char data[4096], *at = data;
  char* const end = data + sizeof data;
  at += std::snprintf(at, static_cast<std::size_t>(end - at), "lowerdir=");
  for (std::size_t i = 0; i < dirs.count && at < end; i++)
    at += std::snprintf(at, static_cast<std::size_t>(end - at), "%s%d", i > 0 ? ":" : "", dirs.lower[i]);
  if (dirs.upper && at < end)
    at += std::snprintf(at, static_cast<std::size_t>(end - at), ",upperdir=%d,workdir=%d", dirs.upper.get(),
                        dirs.work.get());
  for (const auto& [key, value] : kOptions)
    if (at < end) at += std::snprintf(at, static_cast<std::size_t>(end - at), ",%s=%s", key, value);
  if (dirs.isVolatile && at < end) at += std::snprintf(at, static_cast<std::size_t>(end - at), ",volatile");
  if (at >= end) return errno = E2BIG, -1;
  if (chdir("/proc/self/fd") < 0) return -1;
  return sys::mount("overlay", target, "overlay", 0, data);
}

/// Over `target`, which is the directory of `fd`. Returns an fd of the new root.
UniqueFd mountOver(const std::string& target, int fd, const Directories& dirs, const MappedIds& ids,
                   Report& report) {
  const AsMappedRoot mapped(ids, report);
  UniqueFd root(mountByFd(dirs));
  if (root) {
    if (sys::attach(root.get(), fd) < 0) report.die(target.c_str());
    return root;
  }
  if (!isTooOld(errno) || mountByOptions(target.c_str(), dirs) < 0) report.die(target.c_str());
  // By path and not by the fd: the fd still means the directory that is now covered.
  root.reset(open(target.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root || chdir("/") < 0) report.die(target.c_str());
  return root;
}

/// What is too much for one overlay, the oldest ones, in one that is read-only. It is attached over the
/// newest of them, in this mount namespace only: overlayfs takes no lower directory from a mount that is
/// nowhere.
UniqueFd mountOldest(const std::vector<std::string>& lower, std::size_t from, const MappedIds& ids,
                     Report& report) {
  Directories dirs;
  for (std::size_t i = from; i < lower.size(); i++) addLower(dirs, lower[i], ids, report);
  return mountOver(lower[from], dirs.lower[0], dirs, ids, report);
}

/// Upper and work directory, which must be of one mount: with mapped ids that of the directory that has both.
void openWritable(Directories& dirs, const Launch::Overlay& overlay, const MappedIds& ids, Report& report) {
  if (ids.userNamespace < 0) {
    dirs.upper.reset(openDirectory(overlay.upper, report));
    dirs.work.reset(openDirectory(overlay.work, report));
    return;
  }
  char parent[PATH_MAX];
  const std::size_t slash = overlay.upper.rfind('/');
  if (slash >= sizeof parent || overlay.work.compare(0, slash + 1, overlay.upper, 0, slash + 1) != 0)
    report.die(EINVAL, overlay.upper.c_str(), "the writable directories must lie side by side");
  std::memcpy(parent, overlay.upper.data(), slash);
  parent[slash] = '\0';
  const UniqueFd mapped(mapDirectory(parent, ids, report));
  dirs.upper.reset(
      openat(mapped.get(), overlay.upper.c_str() + slash + 1, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!dirs.upper) report.die(overlay.upper.c_str());
  dirs.work.reset(openat(mapped.get(), overlay.work.c_str() + slash + 1, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!dirs.work) report.die(overlay.work.c_str());
}

}  // namespace

void checkOverlay(const Launch::Overlay& overlay) {
  if (overlay.lower.empty()) throw Failure(step::kOverlay, EINVAL, overlay.upper, "no lower directory");
  if (overlay.lower.size() > kMost)
    throw Failure(step::kOverlay, E2BIG, overlay.upper, "at most 998 layers can be mounted");
}

UniqueFd mountOverlay(const Launch::Overlay& overlay, Report& report, const MappedIds& ids) {
  report.step(step::kOverlay);
  Directories dirs;
  const std::size_t own = overlay.lower.size() > kMaxLower ? kMaxLower - 1 : overlay.lower.size();
  for (std::size_t i = 0; i < own; i++) addLower(dirs, overlay.lower[i], ids, report);
  if (own < overlay.lower.size())
    dirs.lower[dirs.count++] = mountOldest(overlay.lower, own, ids, report).release();
  openWritable(dirs, overlay, ids, report);
  dirs.isVolatile = overlay.isVolatile;
  return mountOver(overlay.upper, dirs.upper.get(), dirs, ids, report);
}

UniqueFd mountBundleRoot(const std::string& path, Report& report) {
  report.step(step::kOverlay);
  UniqueFd target(open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!target) report.die(path.c_str());
  UniqueFd tree(sys::cloneTree(target.get(), "", true));
  if (!tree || sys::attach(tree.get(), target.get()) < 0) report.die(path.c_str());
  return tree;
}

}  // namespace tsrun
