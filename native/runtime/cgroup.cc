#include "runtime/cgroup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/failure.h"
#include "runtime/cgroup_parts.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

using cgroupfs::contains;

/// v2 controllers a container gets on a pure v2 machine whether or not it has a limit (usage is read from
/// them).
constexpr const char* kUsualControllers[] = {"cpuset", "cpu", "io", "memory", "pids", "hugetlb"};

/// "/a/b/c" -> {"/a", "/a/b"}
std::vector<std::string> parentsOf(const std::string& path) {
  std::vector<std::string> parents;
  for (size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    parents.push_back(path.substr(0, slash));
  }
  return parents;
}

void makeDirectory(const std::string& root, const std::string& path, Cgroup::Existing existing) {
  const std::string leaf = root + path;
  bool removedStale = false;
  // Another container's release may remove a parent between our two mkdirs: begin again. It cannot go on for
  // ever, since a parent that has our directory stays.
  for (int attempt = 0; attempt < 1000; ++attempt) {
    for (const std::string& parent : parentsOf(path)) {
      if (::mkdir((root + parent).c_str(), 0755) != 0 && errno != EEXIST && errno != ENOENT) {
        fail(step::kCgroupCreate, root + parent);
      }
    }
    if (::mkdir(leaf.c_str(), 0755) == 0) return;
    if (errno == ENOENT) continue;
    if (errno != EEXIST) fail(step::kCgroupCreate, leaf);
    if (existing == Cgroup::Existing::share) return;
    // Left by an earlier life of this id: its counters and limits must not become ours, nor its processes.
    if (removedStale || (::rmdir(leaf.c_str()) != 0 && errno != ENOENT)) {
      throw Failure(step::kCgroupCreate, EEXIST, leaf, "the cgroup exists and is in use");
    }
    removedStale = true;
  }
  throw Failure(step::kCgroupCreate, ENOENT, leaf);
}

/// A new v1 cpuset is empty and takes no process (ENOSPC): each level copies its parent's, from the top.
void primeCpuset(const std::string& root, const std::string& path) {
  std::vector<std::string> levels = parentsOf(path);
  levels.push_back(path);
  std::string above = root;
  for (const std::string& level : levels) {
    const std::string dir = root + level;
    for (const char* file : {"/cpuset.cpus", "/cpuset.mems"}) {
      const auto own = cgroupfs::read(dir + file);
      if (own && !cgroupfs::words(*own).empty()) continue;
      const auto inherited = cgroupfs::read(above + file);
      if (!inherited) throw Failure(step::kCgroupCreate, errno, above + file);
      cgroupfs::write(step::kCgroupCreate, dir + file, *inherited);
    }
    above = dir;
  }
}

/// Hands `wanted` controllers down to the container's directory. Best effort for each: the root may refuse
/// one (EBUSY, EINVAL with realtime tasks, EOPNOTSUPP); whoever then asks for its limit gets an error that
/// names it.
void enableControllers(const CgroupMount& mount, const std::string& path,
                       const std::vector<std::string>& wanted) {
  std::vector<std::string> levels = parentsOf(path);
  levels.insert(levels.begin(), "");
  for (const std::string& level : levels) {
    const std::string file = mount.path + level + "/cgroup.subtree_control";
    const auto enabled = cgroupfs::words(cgroupfs::read(file).value_or(""));
    UniqueFd control;
    for (const std::string& controller : wanted) {
      if (contains(enabled, controller)) continue;
      if (!control) control.reset(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
      if (!control) break;
      const std::string text = "+" + controller;
      [[maybe_unused]] const ssize_t ignored = ::write(control.get(), text.data(), text.size());
    }
  }
}

std::vector<std::string> wantedControllers(const CgroupMount& mount, bool pure,
                                           const Spec::Resources& resources) {
  std::vector<std::string> wanted;
  const auto want = [&](const std::string& name) {
    if (contains(mount.controllers, name) && !contains(wanted, name)) wanted.push_back(name);
  };
  if (pure) {
    for (const char* name : kUsualControllers) want(name);
  }
  const bool memory = resources.memoryLimit || resources.memorySwap || resources.memoryReservation;
  if (memory) want("memory");
  if (resources.cpuShares || resources.cpuQuota || resources.cpuPeriod || resources.cpuBurst ||
      resources.cpuIdle)
    want("cpu");
  if (!resources.cpusetCpus.empty() || !resources.cpusetMems.empty()) want("cpuset");
  if (resources.pidsLimit) want("pids");
  const bool throttled = !resources.throttleReadBps.empty() || !resources.throttleWriteBps.empty() ||
                         !resources.throttleReadIops.empty() || !resources.throttleWriteIops.empty();
  if (resources.blkioWeight || !resources.weightDevice.empty() || throttled) want("io");
  if (!resources.hugepageLimits.empty()) want("hugetlb");
  if (!resources.rdma.empty()) want("rdma");
  for (const auto& [file, value] : resources.unified) want(file.substr(0, file.find('.')));
  return wanted;
}

}  // namespace

Cgroup::Cgroup(std::string path, std::vector<CgroupMount> mounts) : path_(std::move(path)) {
  bool pure = true;
  for (CgroupMount& mount : mounts) {
    const std::string dir = mount.path + path_;
    if (!mount.v2) pure = false;
    if (!cgroupfs::exists(dir)) continue;
    if (mount.v2) v2Dir_ = dir;
    dirs_.push_back(dir);
    mounts_.push_back(std::move(mount));
  }
  if (pure && !v2Dir_.empty()) {
    v2Fd_.reset(::open(v2Dir_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  }
}

Cgroup Cgroup::open(const std::string& relativePath) {
  return Cgroup(cgroupfs::checkedPath(relativePath), findCgroupMounts());
}

std::string Cgroup::directoryOf(const std::string& controller) const {
  for (size_t i = 0; i < mounts_.size(); ++i) {
    if (!mounts_[i].v2 && contains(mounts_[i].controllers, controller)) return dirs_[i];
  }
  return v2Dir_;
}

std::string Cgroup::v1Freezer() const {
  const std::string dir = directoryOf("freezer");
  return dir == v2Dir_ ? "" : dir;
}

Cgroup Cgroup::create(const Spec& spec, Ledger& ledger, Existing existing) {
  const std::string path = cgroupfs::checkedPath(spec.cgroupsPath);
  const std::vector<CgroupMount> mounts = findCgroupMounts();
  if (mounts.empty())
    throw Failure(step::kCgroupCreate, ENOENT, "/sys/fs/cgroup", "no cgroup file system is mounted");
  ledger.own("cgroup", path);
  for (const CgroupMount& mount : mounts) makeDirectory(mount.path, path, existing);

  const Cgroup group(path, mounts);
  const bool pure = static_cast<bool>(group.v2Fd_);
  for (const CgroupMount& mount : mounts) {
    if (!mount.v2) {
      if (contains(mount.controllers, "cpuset")) primeCpuset(mount.path, path);
    } else {
      const std::vector<std::string> wanted = wantedControllers(mount, pure, spec.resources);
      if (!wanted.empty()) enableControllers(mount, path, wanted);
    }
  }
  const cgroupfs::LimitHost host = group.limitHost(spec.resources);
  for (const cgroupfs::Write& write : cgroupfs::LimitPlan::of(spec.resources, host)) {
    const std::string dir = write.controller.empty() ? group.v2Dir_ : group.directoryOf(write.controller);
    cgroupfs::write(step::kCgroupCreate, dir + "/" + write.file, write.value);
  }

  const std::vector<Spec::DeviceRule> rules = cgroupfs::withStandardDevices(spec.resources.devices);
  if (contains(host.v1, "devices")) {
    cgroupfs::applyDevicesV1(group.directoryOf("devices"), rules);
  } else if (host.hasV2) {
    cgroupfs::applyDevicesV2(group.v2Dir_, rules);
  } else {
    throw Failure(step::kCgroupCreate, EOPNOTSUPP, "devices",
                  "no cgroup controller here can restrict devices");
  }
  return Cgroup(path, mounts);
}

void Cgroup::add(int pid) const {
  const std::string text = std::to_string(pid);
  for (const std::string& dir : dirs_) {
    UniqueFd procs(::open((dir + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
    if (!procs || ::write(procs.get(), text.data(), text.size()) < 0) {
      fail(step::kCgroupJoin, dir);
    }
  }
}

void Cgroup::add(int pid, const std::map<std::string, std::string>& below) const {
  const std::string text = std::to_string(pid);
  for (const auto& [controller, path] : below) {
    if (!controller.empty() && !isV1(controller))
      throw Failure(step::kCgroupJoin, 0, controller, "unknown controller " + controller);
    if ((path + "/").starts_with("../") || path.find("/../") != std::string::npos || path.ends_with("/.."))
      throw Failure(step::kCgroupJoin, 0, path, "the path " + path + " is not a sub cgroup path");
  }
  for (std::size_t i = 0; i < dirs_.size(); ++i) {
    std::string dir = dirs_[i];
    for (const auto& [controller, path] : below) {
      if (controller.empty() || (!mounts_[i].v2 && contains(mounts_[i].controllers, controller)))
        dir = dirs_[i] + (path.starts_with('/') ? "" : "/") + path;
    }
    while (dir.ends_with('/')) dir.pop_back();
    const std::string file = dir + "/cgroup.procs";
    UniqueFd procs(::open(file.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!procs || ::write(procs.get(), text.data(), text.size()) < 0)
      throw Failure(step::kCgroupJoin, errno, "adding pid " + text + " to cgroups, " + file);
  }
}

void Cgroup::addBeside(int pid, int beside) const {
  try {
    add(pid);
  } catch (const Failure& failure) {
    if (failure.error != EBUSY || !v2Fd_) throw;
    // "0::/path", of the hierarchy's root.
    const std::string text = cgroupfs::read("/proc/" + std::to_string(beside) + "/cgroup").value_or("");
    const std::size_t at = text.find("0::/");
    const std::string dir =
        v2Dir_.substr(0, v2Dir_.size() - path_.size()) + text.substr(at + 3, text.find('\n', at) - at - 3);
    // Nothing outside of its own.
    if (at == std::string::npos || !dir.starts_with(v2Dir_ + "/")) throw;
    cgroupfs::write(step::kCgroupJoin, dir + "/cgroup.procs", std::to_string(pid));
  }
}

bool Cgroup::isV1(const std::string& controller) const {
  for (const CgroupMount& mount : mounts_)
    if (!mount.v2 && contains(mount.controllers, controller)) return true;
  return false;
}

bool Cgroup::oomKilled() const {
  const std::string memory = directoryOf("memory");
  return !memory.empty() && cgroupfs::oomKills(memory) > 0;
}

}  // namespace tsrun
