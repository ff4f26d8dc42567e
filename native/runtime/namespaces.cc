#include "runtime/namespaces.h"

#include <fcntl.h>
#include <sched.h>

#include <cerrno>

#include "base/failure.h"
#include "runtime/join.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

struct Type {
  const char* name;
  int flag;
  bool joinable;
};
constexpr Type kTypes[] = {{"pid", CLONE_NEWPID, false},  {"network", CLONE_NEWNET, true},
                           {"mount", CLONE_NEWNS, false}, {"ipc", CLONE_NEWIPC, true},
                           {"uts", CLONE_NEWUTS, true},   {"cgroup", CLONE_NEWCGROUP, true}};

}  // namespace

Namespaces::Namespaces(const Spec& spec, const Launch::Join& join) {
  const auto running = [](const std::string& dir) {
    return RunningContainer(dir, readSpec(dir + "/config.json"));
  };
  if (!join.pid.empty()) pids_ = running(join.pid).openNamespace("pid");
  if (!join.ipc.empty()) {
    const RunningContainer donor = running(join.ipc);
    existing_.push_back({donor.openNamespace("ipc"), join.ipc, CLONE_NEWIPC});
    mountsOfIpc_ = donor.openNamespace("mnt");
  }
  for (const Spec::Namespace& ns : spec.namespaces) {
    const Type* found = nullptr;
    for (const Type& type : kTypes)
      if (ns.type == type.name) found = &type;
    if (found == nullptr || (!ns.path.empty() && !found->joinable))
      throw Failure(step::kClone, ENOTSUP, ns.path.empty() ? ns.type : ns.path,
                    "a container cannot have this namespace: " + ns.type);
    if (!ns.path.empty()) {
      UniqueFd fd(open(ns.path.c_str(), O_RDONLY | O_CLOEXEC));
      if (!fd) fail(step::kClone, ns.path);
      existing_.push_back({std::move(fd), ns.path, found->flag});
    } else if ((found->flag == CLONE_NEWPID && pids_) || (found->flag == CLONE_NEWIPC && mountsOfIpc_)) {
      continue;
    } else if (found->flag == CLONE_NEWCGROUP) {
      newCgroup_ = true;
    } else {
      flags_ |= static_cast<unsigned long long>(found->flag);
    }
  }
  if ((flags_ & CLONE_NEWNS) == 0)
    throw Failure(step::kClone, EINVAL, "mount", "the mount namespace must be a new one");
}

bool Namespaces::newUts() const {
  return (flags_ & CLONE_NEWUTS) != 0;
}

void Namespaces::join(Report& report) {
  if (existing_.empty()) return;
  report.step(step::kClone);
  for (Existing& ns : existing_) {
    if (setns(ns.fd.get(), ns.type) < 0) report.die(ns.path.c_str());
    ns.fd.reset();
  }
}

void Namespaces::enterCgroupNamespace(Report& report) const {
  if (!newCgroup_) return;
  report.step(step::kCgroupNs);
  if (unshare(CLONE_NEWCGROUP) < 0) report.die("cgroup");
}

BornIn::BornIn(int fd) {
  if (fd < 0) return;
  own_.reset(check(open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC), step::kJoin, "pid"));
  check(setns(fd, CLONE_NEWPID), step::kJoin, "pid");
}

/// After a failure, when the first error is the one that counts.
BornIn::~BornIn() {
  if (own_) setns(own_.get(), CLONE_NEWPID);
}

void BornIn::leave() {
  if (own_) check(setns(own_.get(), CLONE_NEWPID), step::kJoin, "pid");
  own_.reset();
}

}  // namespace tsrun
