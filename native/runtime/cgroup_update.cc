#include <cerrno>

#include "base/failure.h"
#include "runtime/cgroup.h"
#include "runtime/cgroup_parts.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

/// Writes what can be written; the rest is left in `writes`, in order, with the failure of its first.
std::optional<Failure> writeAll(std::vector<cgroupfs::Write>& writes, const auto& directoryOf) {
  std::optional<Failure> first;
  std::vector<cgroupfs::Write> refused;
  for (cgroupfs::Write& write : writes) {
    try {
      cgroupfs::write(step::kCgroupUpdate, directoryOf(write.controller) + "/" + write.file, write.value);
    } catch (const Failure& failure) {
      if (!first) first = failure;
      refused.push_back(std::move(write));
    }
  }
  writes = std::move(refused);
  return first;
}

}  // namespace

void Cgroup::update(const Spec::Resources& resources) const {
  if (dirs_.empty()) throw Failure(step::kCgroupUpdate, ENOENT, "cgroup", "the container has none");
  std::vector<cgroupfs::Write> writes = cgroupfs::LimitPlan::of(resources, limitHost(resources));
  const auto directory = [this](const std::string& controller) {
    return controller.empty() ? v2Dir_ : directoryOf(controller);
  };
  // Memory and memory + swap bound each other, so which goes first depends on the direction: what is refused
  // is tried again after the rest, for as long as that helps.
  for (std::size_t left = writes.size() + 1; !writes.empty();) {
    const auto failure = writeAll(writes, directory);
    if (!failure) return;
    if (writes.size() >= left) throw *failure;
    left = writes.size();
  }
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
  if (resources.blkioWeight) {
    host.bfqWeight = cgroupfs::exists(directoryOf("blkio") + "/blkio.bfq.weight") ||
                     cgroupfs::exists(v2Dir_ + "/io.bfq.weight");
  }
  return host;
}

}  // namespace tsrun
