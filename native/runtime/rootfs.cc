#include "runtime/rootfs.h"

#include <cerrno>

#include "base/failure.h"
#include "base/unique_fd.h"
#include "runtime/mount_api.h"
#include "runtime/mount_options.h"
#include "runtime/steps.h"

namespace tsrun {

std::uint64_t propagationFlags(const std::string& word) {
  if (word.empty()) return 0;
  const MountOptions options = parseMountOptions({word});
  if (options.propagation == 0) throw Failure(step::kPivot, EINVAL, word, "not a mount propagation");
  return options.propagation | (options.recursivePropagation ? MS_REC : 0);
}

void pivotInto(int root, std::uint64_t propagation, Report& report) {
  report.step(step::kPivot);
  UniqueFd old(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!old || fchdir(root) < 0) report.die("/");
  // Old root on top of the new one, so that no directory for it is needed inside.
  if (sys::pivotRoot(".", ".") < 0) report.die("pivot_root");
  if (fchdir(old.get()) < 0) report.die("/");
  // Slave first: the unmount must not travel to the host.
  if (sys::mount(nullptr, ".", nullptr, MS_SLAVE | MS_REC, nullptr) < 0) report.die("old root");
  if (sys::unmountDetached(".") < 0) report.die("old root");
  if (chdir("/") < 0) report.die("/");
  if (propagation == 0) return;
  // The mounts that were made as private or slave already are so, and some were asked for otherwise:
  // "rprivate" and "rslave" concern the root alone by now.
  const bool wholly = (propagation & (MS_SHARED | MS_UNBINDABLE)) != 0;
  const std::uint64_t flags = wholly ? propagation : propagation & ~std::uint64_t{MS_REC};
  if (sys::mount(nullptr, "/", nullptr, flags, nullptr) < 0) report.die("/");
}

void makeRootReadOnly(int root, Report& report) {
  report.step(step::kReadonly);
  if (sys::setAttributes(root, false, MOUNT_ATTR_RDONLY, 0) < 0) report.die("/");
}

}  // namespace tsrun
