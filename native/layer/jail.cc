#include "layer/jail.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/failure.h"
#include "layer/layer_steps.h"
#include "layer/limits.h"
#include "layer/privilege.h"
#include "layer/syscall_filter.h"

namespace tsrun {
namespace {

constexpr const char* kStep = step::kLayerJail;

/// Devices below a mount cannot be opened and nothing there can be executed: what is in a layer or a
/// container is for containers.
void restrictMount(int mount, bool readOnly, unsigned recursive, const std::string& path) {
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  if (readOnly) attributes.attr_set |= MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOATIME;
  if (readOnly) attributes.attr_clr |= MOUNT_ATTR__ATIME;
  check(syscall(SYS_mount_setattr, mount, "", AT_EMPTY_PATH | recursive, &attributes, sizeof attributes),
        kStep, path);
}

/// A detached copy of the mount of one directory, with AT_RECURSIVE also of those below it.
UniqueFd cloneMount(const std::string& path, bool readOnly, unsigned recursive = 0) {
  const unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | recursive;
  UniqueFd tree(static_cast<int>(check(syscall(SYS_open_tree, AT_FDCWD, path.c_str(), flags), kStep, path)));
  restrictMount(tree.get(), readOnly, recursive, path);
  return tree;
}

/// Puts `tree` over its own directory, makes it the root and lets go of the old one.
void pivotInto(const UniqueFd& tree, const std::string& path) {
  check(syscall(SYS_move_mount, tree.get(), "", AT_FDCWD, path.c_str(), MOVE_MOUNT_F_EMPTY_PATH), kStep,
        path);
  check(fchdir(tree.get()), kStep, path);
  // Stacks the old root on the new one's root, where the next line finds it: no directory for it is needed.
  check(syscall(SYS_pivot_root, ".", "."), kStep, path);
  check(umount2(".", MNT_DETACH), kStep, path);
  check(chdir("/"), kStep, path);
}

void limit(__rlimit_resource resource, rlim_t value) {
  const rlimit both{value, value};
  check(setrlimit(resource, &both), kStep, "setrlimit");
}

void setLimits() {
  limit(RLIMIT_CORE, 0);
#if !defined(__SANITIZE_ADDRESS__)  // its shadow memory alone is terabytes of address space
  limit(RLIMIT_AS, limits::kAddressSpace);
#endif
  rlimit files{};
  check(getrlimit(RLIMIT_NOFILE, &files), kStep, "getrlimit");
  files.rlim_cur = files.rlim_max;  // one per level of a deep path
  check(setrlimit(RLIMIT_NOFILE, &files), kStep, "setrlimit");
}

bool isReadOnly(JailMode mode) {
  return mode == JailMode::read || mode == JailMode::copyOut;
}

void setModeCapabilities(JailMode mode) {
  switch (mode) {
    case JailMode::apply:
      return setCapabilities({CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID, CAP_MKNOD, CAP_SETFCAP},
                             {CAP_SYS_ADMIN});
    case JailMode::read:
      // trusted.* of every node is read.
      return setCapabilities({CAP_DAC_READ_SEARCH, CAP_SYS_ADMIN}, {});
    case JailMode::copyIn:
      // DAC_READ_SEARCH: the kernel wants it for giving a name to a file that has none (O_TMPFILE).
      return setCapabilities(
          {CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_FSETID, CAP_MKNOD, CAP_SETFCAP},
          {});
    case JailMode::copyOut:
      return setCapabilities({CAP_DAC_READ_SEARCH}, {});
  }
}

UniqueFd openRoot(const std::string& path) {
  return UniqueFd(check(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), kStep, path));
}

/// No way back from here.
void confine(JailMode mode) {
  signal(SIGPIPE, SIG_IGN);
  umask(0);
  // With this set malloc does not ask how many processors there are, which opens a file of the root it finds
  // itself in.
  mallopt(M_ARENA_MAX, 2);
  setLimits();
  check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), kStep, "no_new_privs");
  installSyscallFilter();  // before the capabilities go: they would be needed, were it not for no_new_privs
  setModeCapabilities(mode);
}

}  // namespace

void isolateMounts() {
  check(unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS), kStep, "unshare");
  check(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), kStep, "/");
}

Jail enterJail(const std::string& root, const std::vector<std::string>& lowers, JailMode mode) {
  isolateMounts();
  // After unshare: a directory of the old namespace's mounts cannot be cloned.
  Jail jail;
  for (const std::string& lower : lowers) jail.lowers.push_back(cloneMount(lower, true));
  const UniqueFd tree = cloneMount(root, isReadOnly(mode));
  pivotInto(tree, root);
  jail.root = openRoot(root);
  confine(mode);
  return jail;
}

UniqueFd enterTreeJail(const std::string& root, JailMode mode) {
  isolateMounts();
  const UniqueFd tree = cloneMount(root, isReadOnly(mode), AT_RECURSIVE);
  pivotInto(tree, root);
  UniqueFd opened = openRoot(root);
  confine(mode);
  return opened;
}

UniqueFd lockUp(JailMode mode) {
  UniqueFd root = openRoot("/");
  restrictMount(root.get(), isReadOnly(mode), AT_RECURSIVE, "/");
  confine(mode);
  return root;
}

}  // namespace tsrun
