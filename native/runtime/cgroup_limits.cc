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
    throttles();
    hugetlb();
    network();
    rdma();
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

  [[noreturn]] static void refuseOnV2(const std::string& name) {
    throw Failure(step::kCgroupCreate, EOPNOTSUPP, name, "cgroup v2 does not have this limit");
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
    // "kernel" and "kernelTCP" are not limits any more, in the spec and in the kernel; "useHierarchy" always
    // holds.
    const bool noKill = r_.disableOomKiller.value_or(false);
    if (!limit && !swap && !reservation && !noKill && !r_.memorySwappiness) return;
    if (limit && r_.checkBeforeUpdate.value_or(false) && *r_.memoryLimit > 0 &&
        host_.memoryUsage > *r_.memoryLimit)
      throw Failure(
          step::kCgroupCreate, EBUSY, "memory",
          "the container uses " + std::to_string(host_.memoryUsage) + " bytes, more than the new limit");
    if (!isV2("memory", "memory")) {
      // Swappiness and the killer first: a limit takes effect at once.
      if (r_.memorySwappiness) put("memory", "memory.swappiness", std::to_string(*r_.memorySwappiness));
      if (noKill) put("memory", "memory.oom_control", "1");
      // memory + swap may never be below memory: on a fresh cgroup both are unlimited, so memory goes first.
      if (limit) put("memory", "memory.limit_in_bytes", std::to_string(*r_.memoryLimit));
      if (swap) put("memory", "memory.memsw.limit_in_bytes", std::to_string(*r_.memorySwap));
      if (reservation) put("memory", "memory.soft_limit_in_bytes", std::to_string(*r_.memoryReservation));
      return;
    }
    if (r_.memorySwappiness) refuseOnV2("memory.swappiness");
    if (noKill) refuseOnV2("memory.disableOOMKiller");
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
    const bool realtime = r_.cpuRealtimeRuntime || r_.cpuRealtimePeriod;
    if (!shares && !quota && !period && !realtime && !r_.cpuBurst && !r_.cpuIdle) return;
    if (!isV2("cpu", "cpu")) {
      // The period first: a runtime may not be longer.
      if (r_.cpuRealtimePeriod) put("cpu", "cpu.rt_period_us", std::to_string(*r_.cpuRealtimePeriod));
      if (r_.cpuRealtimeRuntime) put("cpu", "cpu.rt_runtime_us", std::to_string(*r_.cpuRealtimeRuntime));
      if (shares) put("cpu", "cpu.shares", std::to_string(*r_.cpuShares));
      if (period) put("cpu", "cpu.cfs_period_us", std::to_string(*r_.cpuPeriod));
      if (quota) put("cpu", "cpu.cfs_quota_us", std::to_string(*r_.cpuQuota));
      if (r_.cpuBurst) put("cpu", "cpu.cfs_burst_us", std::to_string(*r_.cpuBurst));
      if (r_.cpuIdle) put("cpu", "cpu.idle", std::to_string(*r_.cpuIdle));
      return;
    }
    if (realtime) refuseOnV2("cpu.realtimeRuntime");
    if (shares) put("cpu", "cpu.weight", std::to_string(weightOfShares(*r_.cpuShares)));
    // After the weight, which an idle group takes no more.
    if (r_.cpuIdle) put("cpu", "cpu.idle", std::to_string(*r_.cpuIdle));
    if (quota || period) {
      put("cpu", "cpu.max",
          limitText(quota ? *r_.cpuQuota : -1) + " " +
              std::to_string(period ? *r_.cpuPeriod : kDefaultPeriod));
    }
    if (r_.cpuBurst) put("cpu", "cpu.max.burst", std::to_string(*r_.cpuBurst));
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
    const bool weight = r_.blkioWeight && *r_.blkioWeight != 0;
    const bool leaf = r_.blkioLeafWeight && *r_.blkioLeafWeight != 0;
    if (!weight && !leaf && r_.weightDevice.empty()) return;
    const bool v2 = isV2("blkio", "io");
    const std::string controller = v2 ? "io" : "blkio";
    if (leaf && v2) refuseOnV2("blockIO.leafWeight");
    if (weight) put(controller, weightFile(v2), weightText(*r_.blkioWeight, v2));
    if (leaf) put("blkio", "blkio.leaf_weight", std::to_string(*r_.blkioLeafWeight));
    for (const Spec::BlockDevice& device : r_.weightDevice) {
      if (device.weight)
        put(controller, weightFile(v2) + (v2 ? "" : "_device"),
            numbers(device) + weightText(*device.weight, v2));
      if (device.leafWeight && v2) refuseOnV2("blockIO.weightDevice.leafWeight");
      if (device.leafWeight)
        put("blkio", "blkio.leaf_weight_device", numbers(device) + std::to_string(*device.leafWeight));
    }
  }

  /// The BFQ scheduler has a file of its own on v1 and v2, with the spec's numbers.
  std::string weightFile(bool v2) const {
    return std::string(v2 ? "io." : "blkio.") + (host_.bfqWeight ? "bfq.weight" : "weight");
  }
  /// 10..1000 of the spec; v2's own is 1..10000.
  std::string weightText(unsigned weight, bool v2) const {
    if (!v2 || host_.bfqWeight) return std::to_string(weight);
    return std::to_string(1 + (std::max(weight, 10U) - 10) * 9999 / 990);
  }
  static std::string numbers(const Spec::BlockDevice& device) {
    return std::to_string(device.major) + ":" + std::to_string(device.minor) + " ";
  }

  void throttles() {
    const struct {
      const std::vector<Spec::BlockDevice>& devices;
      const char *v1, *v2;
    } kinds[] = {{r_.throttleReadBps, "read_bps", "rbps"},
                 {r_.throttleWriteBps, "write_bps", "wbps"},
                 {r_.throttleReadIops, "read_iops", "riops"},
                 {r_.throttleWriteIops, "write_iops", "wiops"}};
    for (const auto& kind : kinds) {
      for (const Spec::BlockDevice& device : kind.devices) {
        // 0 takes the limit away.
        if (!isV2("blkio", "io"))
          put("blkio", std::string("blkio.throttle.") + kind.v1 + "_device",
              numbers(device) + std::to_string(device.rate));
        else
          put("io", "io.max",
              numbers(device) + kind.v2 + "=" + (device.rate == 0 ? "max" : std::to_string(device.rate)));
      }
    }
  }

  void hugetlb() {
    for (const auto& [size, limit] : r_.hugepageLimits) {
      checkName(size);
      const bool v2 = isV2("hugetlb", "hugetlb");
      const std::string file = "hugetlb." + size + ".", end = v2 ? "max" : "limit_in_bytes";
      put("hugetlb", file + end, std::to_string(limit));
      // What is reserved and not used yet counts too: without it a program is killed when it touches its
      // pages.
      if (host_.hugetlbReserved) put("hugetlb", file + "rsvd." + end, std::to_string(limit));
    }
  }

  void network() {
    if (r_.networkClassId && *r_.networkClassId != 0) {
      if (isV2("net_cls", "net_cls")) refuseOnV2("network.classID");
      put("net_cls", "net_cls.classid", std::to_string(*r_.networkClassId));
    }
    for (const auto& [name, priority] : r_.networkPriorities) {
      if (isV2("net_prio", "net_prio")) refuseOnV2("network.priorities");
      put("net_prio", "net_prio.ifpriomap", name + " " + std::to_string(priority));
    }
  }

  void rdma() {
    for (const auto& [device, limit] : r_.rdma) {
      isV2("rdma", "rdma");
      std::string text = device;
      if (limit.hcaHandles) text += " hca_handle=" + std::to_string(*limit.hcaHandles);
      if (limit.hcaObjects) text += " hca_object=" + std::to_string(*limit.hcaObjects);
      if (text != device) put("rdma", "rdma.max", text);
    }
  }

  static void checkName(const std::string& name) {
    if (name.empty() || name.find('/') != std::string::npos)
      throw Failure(step::kCgroupCreate, EINVAL, name, "not the name of a cgroup file");
  }

  void unified() {
    for (const auto& [file, value] : r_.unified) {
      if (!host_.hasV2) {
        throw Failure(step::kCgroupCreate, EOPNOTSUPP, file, "this machine has no cgroup v2 hierarchy");
      }
      checkName(file);
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
