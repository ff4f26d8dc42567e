#include "runtime/devices.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/unique_fd.h"
#include "runtime/inroot.h"
#include "runtime/mount_api.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

struct Default {
  const char* path;
  unsigned major, minor;
};
constexpr Default kDefaults[] = {{"/dev/null", 1, 3},   {"/dev/zero", 1, 5},    {"/dev/full", 1, 7},
                                 {"/dev/random", 1, 8}, {"/dev/urandom", 1, 9}, {"/dev/tty", 5, 0}};

constexpr const char* kLinks[][2] = {{"fd", "/proc/self/fd"},
                                     {"stdin", "/proc/self/fd/0"},
                                     {"stdout", "/proc/self/fd/1"},
                                     {"stderr", "/proc/self/fd/2"},
                                     {"ptmx", "pts/ptmx"}};

mode_t typeOf(const Spec::Device& device) {
  if (device.type == 'b') return S_IFBLK;
  return device.type == 'p' ? S_IFIFO : S_IFCHR;
}

bool matches(const struct stat& info, const Spec::Device& device) {
  return (info.st_mode & S_IFMT) == typeOf(device) &&
         (device.type == 'p' || info.st_rdev == makedev(device.major, device.minor));
}

/// Where mknod is refused (a user namespace), the host's node is bound: by fd, and only if it is the device
/// asked for.
void bindHostNode(int parent, const char* name, const Spec::Device& device, Report& report) {
  const char* path = device.path.c_str();
  UniqueFd tree(sys::cloneTree(AT_FDCWD, path, false));
  struct stat info;
  if (!tree || fstat(tree.get(), &info) < 0) report.die(path);
  if (!matches(info, device)) report.die(ENODEV, path, "the host has another device there");
  UniqueFd target(openat(parent, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, 0666));
  if (!target) report.die(path);
  target.reset(openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!target || sys::attach(tree.get(), target.get()) < 0) report.die(path);
}

void makeNode(int root, const Spec::Device& device, Report& report) {
  const char* path = device.path.c_str();
  const char* name;
  UniqueFd parent = ensureParent(root, path, &name);
  if (!parent) report.die(path);
  const mode_t mode = typeOf(device) | (device.fileMode & 07777);
  if (mknodat(parent.get(), name, mode, makedev(device.major, device.minor)) < 0) {
    if (errno == EPERM) return bindHostNode(parent.get(), name, device, report);
    if (errno != EEXIST) report.die(path);
    // An image or a volume may have put something else there: a link to a file, another device.
    struct stat info;
    if (fstatat(parent.get(), name, &info, AT_SYMLINK_NOFOLLOW) < 0) report.die(path);
    if (!matches(info, device)) report.die(EEXIST, path, "something that is not this device is in its place");
  }
  if (fchownat(parent.get(), name, device.uid, device.gid, AT_SYMLINK_NOFOLLOW) < 0) report.die(path);
}

void makeLink(int dev, const char* name, const char* target, Report& report) {
  if (symlinkat(target, dev, name) == 0) return;
  if (errno != EEXIST) report.die(name);
  // What an image has there stays only if it is the same link; anything else (a ptmx of its own) is replaced.
  char existing[32];
  const ssize_t length = readlinkat(dev, name, existing, sizeof existing);
  if (length == static_cast<ssize_t>(std::strlen(target)) &&
      std::memcmp(existing, target, static_cast<std::size_t>(length)) == 0)
    return;
  if (unlinkat(dev, name, 0) < 0 || symlinkat(target, dev, name) < 0) report.die(name);
}

}  // namespace

Devices::Devices(const Spec& spec) : devices_(spec.devices) {
  for (const Default& item : kDefaults) {
    const bool named =
        std::ranges::any_of(devices_, [&](const auto& device) { return device.path == item.path; });
    if (named) continue;
    Spec::Device device;
    device.path = item.path;
    device.major = item.major;
    device.minor = item.minor;
    devices_.push_back(device);
  }
}

void Devices::make(int root, Report& report) const {
  report.step(step::kDevices);
  for (const Spec::Device& device : devices_) makeNode(root, device, report);
  Ensured dev = ensureInRoot(root, "/dev", Kind::directory);
  if (!dev.fd) report.die("/dev");
  for (const auto& [name, target] : kLinks) makeLink(dev.fd.get(), name, target, report);
  const UniqueFd memory(openInRoot(root, "/proc/kcore", O_PATH));
  if (memory) makeLink(dev.fd.get(), "core", "/proc/kcore", report);
}

}  // namespace tsrun
