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
#include "runtime/masks.h"
#include "runtime/mounts.h"
#include "runtime/namespaces.h"
#include "runtime/overlay.h"
#include "runtime/process.h"
#include "runtime/procfs.h"
#include "runtime/rootfs.h"
#include "runtime/steps.h"
#include "runtime/sysctl.h"

namespace tsrun {
namespace {

class Child final : public PreparedChild {
 public:
  Child(const Spec& spec, const Launch& launch, const std::string& dir)
      : spec_(spec),
        launch_(launch),
        dir_(dir),
        namespaces_(spec, launch.join),
        mounts_(spec, launch, dir),
        copyUp_(launch),
        devices_(spec),
        sysctls_(spec),
        process_(spec, launch),
        propagation_(propagationFlags(spec.rootfsPropagation)) {
    if (launch.overlay) {
      checkOverlay(*launch.overlay);
      // Files that are made as mount points, which diff and commit must not take for the user's.
      const std::string stubs = dir + "/stubs";
      stubs_.reset(check(open(stubs.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600),
                         step::kHelperConfig, stubs));
    } else if (!spec_.rootPath.starts_with('/')) {
      spec_.rootPath = dir + "/" + spec_.rootPath;
    }
  }

  unsigned long long cloneFlags() const override { return namespaces_.cloneFlags(); }
  int pidNamespace() const override { return namespaces_.pids(); }

  [[noreturn]] void run(const ChildFds& fds, Report& report) override {
    resetChildSignals();
    umask(0);  // modes are given as they are meant
    prctl(PR_SET_DUMPABLE, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    waitForGo(fds.sync, report);
    namespaces_.join(report);
    namespaces_.enterCgroupNamespace(report);

    mounts_.takeShm(namespaces_.mountsOfIpc(), report);
    mounts_.isolate(report);
    UniqueFd root =
        launch_.overlay ? mountOverlay(*launch_.overlay, report) : mountBundleRoot(spec_.rootPath, report);
    copyUp_.run(root.get(), report);
    mounts_.make(root.get(), stubs_.get(), report);
    UniqueFd proc = openOwnProc(dir_, report);
    process_.ensureCwd(root.get(), report);
    if (!mounts_.bindsDev()) devices_.make(root.get(), report);
    maskPaths(root.get(), spec_.maskedPaths, spec_.readonlyPaths, dir_, report);
    pivotInto(root.get(), propagation_, report);

    setNames(report);
    sysctls_.write(proc.get(), report);
    setUpStdio(fds, spec_.process.terminal, launch_.consoleSize, root.get(), Console::bind, report);
    mounts_.finish(report);
    if (spec_.rootReadonly) makeRootReadOnly(root.get(), report);
    process_.enter(std::move(root), std::move(proc), fds.sync, report);
  }

 private:
  void setNames(Report& report) const {
    if (!namespaces_.newUts()) return;
    report.step(step::kHostname);
    const std::string &host = spec_.hostname, &domain = spec_.domainname;
    if (!host.empty() && sethostname(host.data(), host.size()) < 0) report.die(host.c_str());
    if (!domain.empty() && setdomainname(domain.data(), domain.size()) < 0) report.die(domain.c_str());
  }

  Spec spec_;
  Launch launch_;
  std::string dir_;
  UniqueFd stubs_;
  Namespaces namespaces_;
  Mounts mounts_;
  CopyUp copyUp_;
  Devices devices_;
  Sysctls sysctls_;
  ProcessSetup process_;
  std::uint64_t propagation_;
};

}  // namespace

std::unique_ptr<PreparedChild> PreparedChild::prepare(const Spec& spec, const Launch& launch,
                                                      const std::string& containerDir) {
  return std::make_unique<Child>(spec, launch, containerDir);
}

}  // namespace tsrun
