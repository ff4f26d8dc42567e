#include "helper/container_view.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>

#include "base/failure.h"
#include "base/unique_fd.h"
#include "layer/jail.h"
#include "runtime/copyup.h"
#include "runtime/inroot.h"
#include "runtime/join.h"
#include "runtime/launch.h"
#include "runtime/lock.h"
#include "runtime/mount_api.h"
#include "runtime/mounts.h"
#include "runtime/overlay.h"
#include "runtime/rootfs.h"
#include "runtime/spec.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

/// The engine mounts these, and what is below them, for programs.
constexpr const char* kKernelTrees[] = {"/dev", "/proc", "/sys"};

/// File systems that programs need and that hold no files: everything else was asked for by the user, who may
/// have volumes of any kind. A tmpfs is empty while nothing runs.
constexpr std::string_view kProgramTypes[] = {"proc",   "sysfs",  "tmpfs",  "devpts",
                                              "mqueue", "cgroup", "cgroup2"};

bool isUsers(const Spec::Mount& mount) {
  return std::ranges::find(kProgramTypes, mount.type) == std::end(kProgramTypes);
}

bool isMonitored(const std::string& dir) {
  const std::string path = dir + "/lock";
  const UniqueFd lock(check(open(path.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC), step::kHelperLock, path));
  return isByteHeld(lock.get(), kMonitorByte);
}

/// Takes `path` away with all below it, in this mount namespace.
void detach(const char* path) {
  const UniqueFd root(check(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), step::kJoin, "/"));
  const UniqueFd mount(openInRoot(root.get(), path, O_PATH | O_DIRECTORY));
  if (!mount) return;  // the container has removed it
  check(fchdir(mount.get()), step::kJoin, path);
  // EINVAL: nothing is mounted there (any more).
  const bool gone = sys::unmountDetached(".") == 0 || errno == EINVAL;
  const int error = errno;
  check(chdir("/"), step::kJoin, "/");
  if (!gone) throw Failure(step::kJoin, error, path);
}

/// A copy of the root's own mount in the place of the tree: what was mounted in it is not in the copy.
void keepRootOnly() {
  UniqueFd tree(check(sys::cloneTree(AT_FDCWD, "/", false), step::kJoin, "/"));
  const UniqueFd root(check(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), step::kJoin, "/"));
  check(sys::attach(tree.get(), root.get()), step::kJoin, "/");
  Report report(STDERR_FILENO);
  pivotInto(tree.get(), 0, report);
}

void enterRunning(const RunningContainer& container, const Spec& spec, View view) {
  check(setns(container.pidfd(), CLONE_NEWNS), step::kJoin, "setns");
  isolateMounts();
  if (view == View::rootfs) return keepRootOnly();
  for (const char* path : kKernelTrees) {
    const bool users = std::ranges::any_of(
        spec.mounts, [&](const Spec::Mount& mount) { return mount.destination == path && isUsers(mount); });
    if (!users) detach(path);
  }
}

/// As the child of a start does it, up to the mounts for programs.
void mountStopped(const std::string& dir, Spec spec, Launch launch, View view) {
  if (!launch.overlay) throw Failure(step::kOverlay, ENOTSUP, dir, "not a container of this engine");
  checkOverlay(*launch.overlay);
  // The mark that a volatile mount leaves behind would forbid the next one.
  launch.overlay->isVolatile = false;
  launch.join = {};  // nothing of another container is needed, nor has it to run
  std::erase_if(spec.mounts, [](const Spec::Mount& mount) { return !isUsers(mount); });
  const std::string stubsPath = dir + "/stubs";
  const UniqueFd stubs(
      check(open(stubsPath.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600),
            step::kHelperConfig, stubsPath));

  Report report(STDERR_FILENO);
  Mounts mounts(spec, launch, dir);
  const CopyUp copyUp(launch);
  // Sources of shared binds are taken from the namespace that they propagate in.
  if (unshare(CLONE_NEWNS) < 0) fail(step::kClone, "unshare");
  mounts.isolate(report);
  const UniqueFd root = mountOverlay(*launch.overlay, report);
  if (view == View::files) {
    copyUp.run(root.get(), report);
    mounts.make(root.get(), stubs.get(), report);
  }
  pivotInto(root.get(), 0, report);
  if (spec.rootReadonly) makeRootReadOnly(root.get(), report);
  isolateMounts();
}

}  // namespace

void enterContainerView(const std::string& dir, View view) {
  const Spec spec = readSpec(dir + "/config.json");
  if (isMonitored(dir)) return enterRunning(RunningContainer(dir, spec), spec, view);
  mountStopped(dir, spec, readLaunch(dir + "/launch.json"), view);
}

}  // namespace tsrun
