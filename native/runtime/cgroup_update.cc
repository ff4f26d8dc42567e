#include <algorithm>
#include <cerrno>
#include <iterator>
#include <string_view>

#include "base/failure.h"
#include "runtime/cgroup.h"
#include "runtime/cgroup_parts.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

/// Files with a line for each device or interface, and what makes such a line as if it had never been
/// written.
struct Keyed {
  std::string_view file, nothing;
};
constexpr Keyed kKeyed[] = {{"io.max", "rbps=max wbps=max riops=max wiops=max"},
                            {"io.weight", "default"},
                            {"io.bfq.weight", "default"},
                            {"blkio.weight_device", "0"},
                            {"blkio.bfq.weight_device", "0"},
                            {"blkio.leaf_weight_device", "0"},
                            {"blkio.throttle.read_bps_device", "0"},
                            {"blkio.throttle.write_bps_device", "0"},
                            {"blkio.throttle.read_iops_device", "0"},
                            {"blkio.throttle.write_iops_device", "0"},
                            {"net_prio.ifpriomap", "0"},
                            {"rdma.max", "hca_handle=max hca_object=max"}};

/// What to write so that all is as it was before `write`; `text` is what the file says now.
std::string previousOf(const cgroupfs::Write& write, const std::string& text) {
  // "memory.oom_control" tells more than it takes.
  if (write.file == "memory.oom_control")
    return text.find("oom_kill_disable 1") == std::string::npos ? "0" : "1";
  const std::size_t blank = write.value.find(' ');
  const auto* keyed = std::ranges::find(kKeyed, write.file, &Keyed::file);
  if (keyed == std::end(kKeyed) || blank == std::string::npos) return text.substr(0, text.find('\n'));
  const std::string key = write.value.substr(0, blank + 1);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (text.compare(at, key.size(), key) == 0) return text.substr(at, end - at);
    at = end + 1;
  }
  return key + std::string(keyed->nothing);
}

}  // namespace

std::string Cgroup::fileOf(const cgroupfs::Write& write) const {
  if (write.file.empty() || write.file.find('/') != std::string::npos)
    throw Failure(step::kCgroupUpdate, EINVAL, write.file, "not the name of a cgroup file");
  return (write.controller.empty() ? v2Dir_ : directoryOf(write.controller)) + "/" + write.file;
}

/// Memory and memory + swap bound each other, so which goes first depends on the direction: what is refused
/// is tried again after the rest, for as long as that helps. The failure of the first that cannot be written.
std::optional<Failure> Cgroup::writeAll(std::vector<cgroupfs::Write> writes) const {
  for (;;) {
    std::optional<Failure> first;
    std::vector<cgroupfs::Write> refused;
    for (cgroupfs::Write& write : writes) {
      try {
        cgroupfs::write(step::kCgroupUpdate, fileOf(write), write.value);
      } catch (const Failure& failure) {
        if (!first) first = failure;
        refused.push_back(std::move(write));
      }
    }
    if (refused.empty() || refused.size() == writes.size()) return first;
    writes = std::move(refused);
  }
}

std::vector<cgroupfs::Write> Cgroup::update(const Spec::Resources& resources) const {
  if (dirs_.empty()) throw Failure(step::kCgroupUpdate, ENOENT, "cgroup", "the container has none");
  const std::vector<cgroupfs::Write> writes = cgroupfs::LimitPlan::of(resources, limitHost(resources));
  std::vector<cgroupfs::Write> before;
  for (const cgroupfs::Write& write : writes) {
    const auto value = cgroupfs::read(fileOf(write));
    if (value) before.push_back({write.controller, write.file, previousOf(write, *value)});
  }
  if (const auto failure = writeAll(writes)) {
    writeAll(before);
    throw *failure;
  }
  return before;
}

void Cgroup::restore(std::vector<cgroupfs::Write> before) const {
  if (const auto failure = writeAll(std::move(before))) throw *failure;
}

cgroupfs::LimitPlan::Host Cgroup::limitHost(const Spec::Resources& resources) const {
  cgroupfs::LimitPlan::Host host;
  for (const CgroupMount& mount : mounts_) {
    if (!mount.v2) host.v1.insert(host.v1.end(), mount.controllers.begin(), mount.controllers.end());
  }
  host.hasV2 = !v2Dir_.empty();
  if (host.hasV2) host.v2 = cgroupfs::words(cgroupfs::read(v2Dir_ + "/cgroup.controllers").value_or(""));
  if (resources.memorySwap) {
    const auto swaps = cgroupfs::read("/proc/swaps");
    host.swapInUse = swaps && swaps->find("\n/") != std::string::npos;
    host.swapAccounting = cgroupfs::exists(v2Dir_ + "/memory.swap.max");
  }
  if (!resources.hugepageLimits.empty()) {
    const std::string file =
        directoryOf("hugetlb") + "/hugetlb." + resources.hugepageLimits.begin()->first + ".rsvd.";
    host.hugetlbReserved = cgroupfs::exists(file + "max") || cgroupfs::exists(file + "limit_in_bytes");
  }
  if (resources.checkBeforeUpdate.value_or(false)) {
    const std::string dir = directoryOf("memory");
    auto usage = cgroupfs::read(dir + "/memory.current");
    if (!usage) usage = cgroupfs::read(dir + "/memory.usage_in_bytes");
    host.memoryUsage = usage ? std::stoll(*usage) : 0;
  }
  if (resources.blkioWeight || !resources.weightDevice.empty()) {
    host.bfqWeight = cgroupfs::exists(directoryOf("blkio") + "/blkio.bfq.weight") ||
                     cgroupfs::exists(v2Dir_ + "/io.bfq.weight");
  }
  return host;
}

}  // namespace tsrun
