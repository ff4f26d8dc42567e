#include <algorithm>
#include <cerrno>
#include <cmath>

#include "base/failure.h"
#include "runtime/cgroup_parts.h"
#include "runtime/steps.h"

namespace tsrun::cgroupfs {
namespace {

constexpr std::uint64_t kDefaultPeriod = 100000;  // microseconds

std::string limitText(std::int64_t value) {
  return value < 0 ? "max" : std::to_string(value);
}

/// v1 shares 2..262144 (default 1024) -> v2 weight 1..10000 (default 100): the curve through those three
/// points, so that a container with the default shares weighs as much as one that asked for nothing.
std::uint64_t weightOfShares(std::uint64_t shares) {
  if (shares <= 2) return 1;
  if (shares >= 262144) return 10000;
  const double log = std::log2(static_cast<double>(shares));
  return static_cast<std::uint64_t>(std::ceil(std::pow(10, (log * log + 125 * log) / 612.0 - 7.0 / 34.0)));
}

/// Collects the writes of one container; each method is one controller.
class Planner {
 public:
  Planner(const Spec::Resources& resources, const LimitPlan::Host& host) : r_(resources), host_(host) {}

  std::vector<Write> plan() {
    cpuset();
    memory();
    cpu();
    pids();
    blkio();
    unified();
    return std::move(writes_);
  }

 private:
  void put(const std::string& controller, const std::string& file, const std::string& value) {
    writes_.push_back({controller, file, value});
  }

  /// Which kind of hierarchy has the controller. A limit that nobody can enforce is an error, never dropped.
  bool isV2(const std::string& v1Name, const std::string& v2Name) const {
    if (contains(host_.v1, v1Name)) return false;
    if (contains(host_.v2, v2Name)) return true;
    throw Failure(
        step::kCgroupCreate, EOPNOTSUPP, v2Name,
        "the cgroup controller \"" + v2Name + "\" is not available here, so its limit cannot be enforced");
  }

  void cpuset() {
    if (r_.cpusetCpus.empty() && r_.cpusetMems.empty()) return;
    isV2("cpuset", "cpuset");
    if (!r_.cpusetCpus.empty()) put("cpuset", "cpuset.cpus", r_.cpusetCpus);
    if (!r_.cpusetMems.empty()) put("cpuset", "cpuset.mems", r_.cpusetMems);
  }

  void memory() {
    const bool limit = r_.memoryLimit && *r_.memoryLimit != 0, swap = r_.memorySwap && *r_.memorySwap != 0;
    const bool reservation = r_.memoryReservation && *r_.memoryReservation != 0;
    if (!limit && !swap && !reservation) return;
    if (!isV2("memory", "memory")) {
      // memory + swap may never be below memory: on a fresh cgroup both are unlimited, so memory goes first.
      if (limit) put("memory", "memory.limit_in_bytes", std::to_string(*r_.memoryLimit));
      if (swap) put("memory", "memory.memsw.limit_in_bytes", std::to_string(*r_.memorySwap));
      if (reservation) put("memory", "memory.soft_limit_in_bytes", std::to_string(*r_.memoryReservation));
      return;
    }
    if (limit) put("memory", "memory.max", limitText(*r_.memoryLimit));
    if (swap) swapV2();
    if (reservation) put("memory", "memory.low", limitText(*r_.memoryReservation));
  }

  /// The spec counts memory + swap, v2 counts swap alone.
  void swapV2() {
    std::string value = "max";
    if (*r_.memorySwap > 0) {
      const std::int64_t limit = r_.memoryLimit.value_or(0);
      if (limit <= 0 || *r_.memorySwap < limit) {
        throw Failure(step::kCgroupCreate, EINVAL, "memory.swap.max",
                      "memory+swap must not be smaller than the memory limit, and needs one");
      }
      value = std::to_string(*r_.memorySwap - limit);
    }
    // Without swap accounting the file is missing; that matters only where there is swap that could be used.
    if (value == "max" || host_.swapInUse || host_.swapAccounting) put("memory", "memory.swap.max", value);
  }

  void cpu() {
    const bool shares = r_.cpuShares && *r_.cpuShares != 0;
    const bool quota = r_.cpuQuota && *r_.cpuQuota != 0, period = r_.cpuPeriod && *r_.cpuPeriod != 0;
    if (!shares && !quota && !period) return;
    if (!isV2("cpu", "cpu")) {
      if (shares) put("cpu", "cpu.shares", std::to_string(*r_.cpuShares));
      if (period) put("cpu", "cpu.cfs_period_us", std::to_string(*r_.cpuPeriod));
      if (quota) put("cpu", "cpu.cfs_quota_us", std::to_string(*r_.cpuQuota));
      return;
    }
    if (shares) put("cpu", "cpu.weight", std::to_string(weightOfShares(*r_.cpuShares)));
    if (quota || period) {
      put("cpu", "cpu.max",
          limitText(quota ? *r_.cpuQuota : -1) + " " +
              std::to_string(period ? *r_.cpuPeriod : kDefaultPeriod));
    }
  }

  void pids() {
    if (!r_.pidsLimit) return;
    const bool unlimited = *r_.pidsLimit <= 0;
    // "No limit" is what a cgroup begins with, also where there is no pids controller.
    if (unlimited && !contains(host_.v1, "pids") && !contains(host_.v2, "pids")) return;
    isV2("pids", "pids");
    put("pids", "pids.max", unlimited ? "max" : std::to_string(*r_.pidsLimit));
  }

  void blkio() {
    if (!r_.blkioWeight || *r_.blkioWeight == 0) return;
    const unsigned weight = *r_.blkioWeight;  // 10..1000
    if (!isV2("blkio", "io")) {
      put("blkio", host_.bfqWeight ? "blkio.bfq.weight" : "blkio.weight", std::to_string(weight));
    } else if (host_.bfqWeight) {
      put("io", "io.bfq.weight", std::to_string(weight));
    } else {
      put("io", "io.weight", std::to_string(1 + (std::max(weight, 10U) - 10) * 9999 / 990));
    }
  }

  void unified() {
    for (const auto& [file, value] : r_.unified) {
      if (!host_.hasV2) {
        throw Failure(step::kCgroupCreate, EOPNOTSUPP, file, "this machine has no cgroup v2 hierarchy");
      }
      if (file.empty() || file.find('/') != std::string::npos) {
        throw Failure(step::kCgroupCreate, EINVAL, file, "not the name of a cgroup file");
      }
      put("", file, value);
    }
  }

  const Spec::Resources& r_;
  const LimitPlan::Host& host_;
  std::vector<Write> writes_;
};

}  // namespace

std::vector<Write> LimitPlan::of(const Spec::Resources& resources, const Host& host) {
  return Planner(resources, host).plan();
}

}  // namespace tsrun::cgroupfs
