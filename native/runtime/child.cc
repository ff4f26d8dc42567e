#include "runtime/child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/failure.h"
#include "base/unique_fd.h"
#include "runtime/console.h"
#include "runtime/copyup.h"
#include "runtime/devices.h"
#include "runtime/entry.h"
#include "runtime/idmap.h"
#include "runtime/masks.h"
#include "runtime/mount_api.h"
#include "runtime/mounts.h"
#include "runtime/namespaces.h"
#include "runtime/overlay.h"
#include "runtime/process.h"
#include "runtime/procfs.h"
#include "runtime/rootfs.h"
#include "runtime/stage.h"
#include "runtime/steps.h"
#include "runtime/sysctl.h"

namespace tsrun {
namespace {

/// Directories of the host that file systems of ours are attached over, in the container's mount namespace
/// only.
struct Places {
  UniqueFd scratch, root;

  /// As the host's user and, where that may not go there without its rights, once more as the container's
  /// root.
  void open(const std::string& scratchPath, const std::string& rootPath, bool again, Report& report) {
    constexpr int kFlags = O_PATH | O_DIRECTORY | O_CLOEXEC;
    for (auto [fd, path] : {std::pair{&scratch, &scratchPath}, std::pair{&root, &rootPath}}) {
      if (!*fd) fd->reset(::open(path->c_str(), kFlags));
      if (!*fd && (again || errno != EACCES)) report.die(path->c_str());
    }
  }
};

class Child final : public PreparedChild {
 public:
  Child(const Spec& spec, const Launch& launch, const std::string& dir)
      : spec_(spec),
        launch_(launch),
        dir_(dir),
        namespaces_(spec, launch.join),
        mounts_(spec, launch, dir, namespaces_.hasUser()),
        copyUp_(launch),
        devices_(spec),
        sysctls_(spec),
        process_(spec, launch),
        hooks_("createContainer", launch.bundle.createContainer, launch.bundle.hookState),
        propagation_(propagationFlags(spec.rootfsPropagation)) {
    refuseWhatIsMissing();
    if (launch.overlay && !namespaces_.isNew(CLONE_NEWNS))
      throw Failure(step::kClone, EINVAL, "mount", "the container needs a mount namespace of its own");
    if (launch.overlay) {
      checkOverlay(*launch.overlay);
      // Files that are made as mount points, which diff and commit must not take for the user's.
      const std::string stubs = dir + "/stubs";
      stubs_.reset(check(open(stubs.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600),
                         step::kHelperConfig, stubs));
    } else if (!spec_.rootPath.starts_with('/')) {
      spec_.rootPath = dir + "/" + spec_.rootPath;
    }
    if (namespaces_.hasUser()) process_.enterUserNamespace();
    stage();
  }

  unsigned long long cloneFlags() const override { return namespaces_.cloneFlags(); }

  pid_t clone(const ChildFds& fds, int cgroup, int* pidfd) override {
    const auto root = hostIdOf(namespaces_.maps().uids, 0);
    if (namespaces_.hasUser() && root) givePipes(fds, *root);
    return namespaces_.clone(cgroup, pidfd);
  }

  void admit(pid_t pid) override {
    namespaces_.admit(pid);
    if (namespaces_.hasUser() && spec_.process.oomScoreAdj) setOomScoreOf(pid, *spec_.process.oomScoreAdj);
  }

  [[noreturn]] void run(const ChildFds& fds, Report& report) override {
    resetChildSignals();
    umask(0);  // modes are given as they are meant
    prctl(PR_SET_DUMPABLE, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    waitForGo(fds.sync, report);
    namespaces_.join(report);
    namespaces_.enterTimeNamespace(report);
    report.step(step::kOverlay);
    places_.open(dir_, rootPlace(), false, report);
    namespaces_.becomeRoot(report);
    places_.open(dir_, rootPlace(), true, report);
    namespaces_.enterCgroupNamespace(report);

    mounts_.takeShm(namespaces_.mountsOfIpc(), report);
    mounts_.isolate(report);
    UniqueFd root = makeRoot(report);
    copyUp_.run(root.get(), report);
    mounts_.make(root.get(), stubs_.get(), report);
    UniqueFd proc = openOwnProc(places_.scratch.get(), report);
    process_.ensureCwd(root.get(), report);
    if (!mounts_.bindsDev()) devices_.make(root.get(), report);
    maskPaths(root.get(), spec_.maskedPaths, spec_.readonlyPaths, places_.scratch.get(), report);
    runHooks(root.get(), fds, report);
    pivotInto(root.get(), propagation_, report);

    setNames(report);
    sysctls_.write(proc.get(), report);
    setUpStdio(fds, spec_.process.terminal, launch_.consoleSize, root.get(), Console::bind, report);
    mounts_.finish(report);
    if (spec_.rootReadonly) makeRootReadOnly(root.get(), report);
    process_.enter(std::move(root), std::move(proc), fds, report);
  }

 private:
  /// Limits and devices that this runtime cannot give: never left out without a word.
  void refuseWhatIsMissing() const {
    if (spec_.intelRdt)
      throw Failure(step::kCgroupCreate, ENOTSUP, "linux.intelRdt",
                    "this runtime does not share out caches (resctrl)");
    if (!spec_.netDevices.empty())
      throw Failure(step::kNetworkVeth, ENOTSUP, spec_.netDevices.begin()->first,
                    "this runtime does not move network devices of the host (linux.netDevices)");
  }

  const std::string& rootPlace() const { return launch_.overlay ? launch_.overlay->upper : spec_.rootPath; }

  /// Takes by fd, with our rights, what the process will not have the rights for: the sources of its mounts
  /// and its root, when it has a user namespace; and mounts whose ids are mapped.
  void stage() {
    const bool wholly = namespaces_.hasUser() && geteuid() == 0;
    if (!wholly && !mounts_.hasIdMaps()) return;
    UniqueFd ids;
    if (!namespaces_.maps().empty()) ids = makeUserNamespace(namespaces_.maps());
    mounts_.prepareIdMaps(ids.get());
    runStage([&](Report& report) {
      if (wholly) mounts_.takeShm(namespaces_.mountsOfIpc(), report);
      mounts_.isolate(report);
      mounts_.takeSources(wholly, report);
      if (!wholly) return;
      if (!namespaces_.isNew(CLONE_NEWIPC)) {
        namespaces_.joinIpc(report);
        mounts_.takeQueues(report);
      }
      if (launch_.overlay) copyUp_.takeVolumes(ids.get(), report);
      const UniqueFd root = launch_.overlay ? mountOverlay(*launch_.overlay, report, mappedIds(ids.get()))
                                            : mountBundleRoot(spec_.rootPath, report);
      rootTree_.reset(sys::cloneTree(root.get(), "", true));
      if (!rootTree_) report.die(rootPlace().c_str());
    });
  }

  MappedIds mappedIds(int userNamespace) const {
    const IdMaps& maps = namespaces_.maps();
    return {userNamespace, hostIdOf(maps.uids, 0).value_or(0), hostIdOf(maps.gids, 0).value_or(0)};
  }

  UniqueFd makeRoot(Report& report) {
    if (!rootTree_)
      return launch_.overlay ? mountOverlay(*launch_.overlay, report)
                             : mountBundleRoot(spec_.rootPath, report);
    report.step(step::kOverlay);
    if (sys::attach(rootTree_.get(), places_.root.get()) < 0) report.die(rootPlace().c_str());
    return std::move(rootTree_);
  }

  /// While the host's tree is still there: their programs are on the host, their namespaces the container's.
  void runHooks(int root, const ChildFds& fds, Report& report) const {
    if (launch_.bundle.hooksOutside) {
      if (send(fds.sync, &kHooksPlease, 1, MSG_NOSIGNAL) < 0) report.die("sync socket");
      waitForGo(fds.sync, report);
    }
    if (!hooks_.any()) return;
    report.step(step::kHook);
    if (fchdir(root) < 0) report.die("/");
    hooks_.run(getpid(), report);
  }

  void setNames(Report& report) const {
    if (!namespaces_.isNew(CLONE_NEWUTS)) return;
    report.step(step::kHostname);
    const std::string &host = spec_.hostname, &domain = spec_.domainname;
    if (!host.empty() && sethostname(host.data(), host.size()) < 0) report.die(host.c_str());
    if (!domain.empty() && setdomainname(domain.data(), domain.size()) < 0) report.die(domain.c_str());
  }

  Spec spec_;
  Launch launch_;
  std::string dir_;
  UniqueFd stubs_, rootTree_;
  Places places_;
  Namespaces namespaces_;
  Mounts mounts_;
  CopyUp copyUp_;
  Devices devices_;
  Sysctls sysctls_;
  ProcessSetup process_;
  Hooks hooks_;
  std::uint64_t propagation_;
};

}  // namespace

std::unique_ptr<PreparedChild> PreparedChild::prepare(const Spec& spec, const Launch& launch,
                                                      const std::string& containerDir) {
  return std::make_unique<Child>(spec, launch, containerDir);
}

}  // namespace tsrun
