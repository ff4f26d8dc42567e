#include "runtime/procfs.h"

#include <linux/magic.h>
#include <sys/vfs.h>

#include <cerrno>

#include "runtime/mount_api.h"

namespace tsrun {

UniqueFd openOwnProc(int scratch, Report& report) {
  UniqueFd fs(sys::fsopen("proc")), mount;
  if (fs && sys::createSuperblock(fs.get()) == 0)
    mount.reset(sys::fsmount(fs.get(), MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC));
  else if (errno == EPERM && scratch >= 0)
    mount.reset(sys::cloneTree(AT_FDCWD, "/proc", true));
  struct statfs info;
  if (!mount || fstatfs(mount.get(), &info) < 0) report.die("proc");
  if (info.f_type != PROC_SUPER_MAGIC) report.die(ENODEV, "proc", "not a procfs");
  if (scratch < 0) return mount;
  if (sys::attach(mount.get(), scratch) < 0) report.die("proc");
  return mount;
}

}  // namespace tsrun
