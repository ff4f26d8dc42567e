#include "runtime/procfs.h"

#include <linux/magic.h>
#include <sys/vfs.h>

#include <cerrno>

#include "runtime/mount_api.h"

namespace tsrun {

UniqueFd openOwnProc(const std::string& scratch, Report& report) {
  UniqueFd fs(sys::fsopen("proc"));
  if (!fs || sys::createSuperblock(fs.get()) < 0) report.die("proc");
  UniqueFd mount(sys::fsmount(fs.get(), MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC));
  struct statfs info;
  if (!mount || fstatfs(mount.get(), &info) < 0) report.die("proc");
  if (info.f_type != PROC_SUPER_MAGIC) report.die(ENODEV, "proc", "not a procfs");
  if (scratch.empty()) return mount;
  UniqueFd place(open(scratch.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!place || sys::attach(mount.get(), place.get()) < 0) report.die(scratch.c_str());
  return mount;
}

}  // namespace tsrun
