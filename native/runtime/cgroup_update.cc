#include <cerrno>

#include "base/failure.h"
#include "runtime/cgroup.h"
#include "runtime/cgroup_parts.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

/// A control file may tell of single devices behind its first line; none of ours sets those.
std::string firstLine(const std::string& text) {
  return text.substr(0, text.find('\n'));
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
    if (value) before.push_back({write.controller, write.file, firstLine(*value)});
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
  if (resources.blkioWeight) {
    host.bfqWeight = cgroupfs::exists(directoryOf("blkio") + "/blkio.bfq.weight") ||
                     cgroupfs::exists(v2Dir_ + "/io.bfq.weight");
  }
  return host;
}

}  // namespace tsrun
