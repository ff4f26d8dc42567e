#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tsrun {

/// config.json, the OCI runtime spec, parsed into plain data by readSpec: the part that tsrun acts on. Names
/// follow the spec.
struct Spec {
  struct IdMapping {
    std::uint32_t containerID = 0, hostID = 0, size = 0;
    bool operator==(const IdMapping&) const = default;
  };
  struct Mount {
    std::string destination, type, source;
    std::vector<std::string> options;
    std::vector<IdMapping> uidMappings{}, gidMappings{};  ///< of this mount alone
  };
  struct Device {
    char type = 'c';
    std::string path;
    unsigned major = 0, minor = 0;
    unsigned fileMode = 0666, uid = 0, gid = 0;
  };
  struct DeviceRule {
    bool allow = false;
    char type = 'a';
    std::int64_t major = -1, minor = -1;  ///< -1 = any
    std::string access = "rwm";
  };
  struct Namespace {
    std::string type, path;
  };
  struct Rlimit {
    std::string type;
    std::uint64_t soft = 0, hard = 0;
  };
  struct Capabilities {
    std::vector<std::string> bounding, effective, permitted, inheritable, ambient;
  };
  struct SeccompArg {
    unsigned index = 0;
    std::uint64_t value = 0, valueTwo = 0;
    std::string op;
  };
  struct SeccompRule {
    std::vector<std::string> names;
    std::string action;
    std::optional<unsigned> errnoRet;
    std::vector<SeccompArg> args;
  };
  struct Seccomp {
    std::string defaultAction;
    std::optional<unsigned> defaultErrnoRet;
    std::vector<std::string> architectures, flags;
    std::string listenerPath, listenerMetadata;
    std::vector<SeccompRule> syscalls;
  };
  /// A value for one block device.
  struct BlockDevice {
    std::int64_t major = 0, minor = 0;
    std::optional<unsigned> weight, leafWeight;
    std::uint64_t rate = 0;
  };
  struct Rdma {
    std::optional<std::uint32_t> hcaHandles, hcaObjects;
  };
  struct Resources {
    std::vector<DeviceRule> devices;
    std::optional<std::int64_t> memoryLimit, memoryReservation, memorySwap, memoryKernel, memoryKernelTcp;
    std::optional<std::uint64_t> memorySwappiness;
    std::optional<bool> disableOomKiller, useHierarchy, checkBeforeUpdate;
    std::optional<std::uint64_t> cpuShares, cpuPeriod, cpuBurst, cpuRealtimePeriod;
    std::optional<std::int64_t> cpuQuota, cpuRealtimeRuntime, cpuIdle, pidsLimit;
    std::string cpusetCpus, cpusetMems;
    std::optional<unsigned> blkioWeight, blkioLeafWeight;
    std::vector<BlockDevice> weightDevice, throttleReadBps, throttleWriteBps, throttleReadIops,
        throttleWriteIops;
    std::map<std::string, std::uint64_t> hugepageLimits;  ///< by page size ("2MB"), bytes
    std::optional<std::uint32_t> networkClassId;
    std::map<std::string, std::uint32_t> networkPriorities;  ///< by interface
    std::map<std::string, Rdma> rdma;                        ///< by device
    std::map<std::string, std::string> unified;
  };
  struct Scheduler {
    std::string policy;
    std::int32_t nice = 0, priority = 0;
    std::vector<std::string> flags;
    std::uint64_t runtime = 0, deadline = 0, period = 0;
  };
  struct IoPriority {
    std::string ioClass;
    int priority = 0;
  };
  struct Personality {
    std::string domain;
    std::vector<std::string> flags;
  };
  struct ConsoleSize {
    unsigned short height = 0, width = 0;
  };
  struct TimeOffset {
    std::int64_t secs = 0;
    std::uint32_t nanosecs = 0;
  };
  struct IntelRdt {
    std::string closId, l3CacheSchema, memBwSchema;
    std::vector<std::string> schemata;
    bool enableMonitoring = false;
  };
  struct Process {
    bool terminal = false;
    unsigned uid = 0, gid = 0, umask = 022;
    std::vector<unsigned> additionalGids;
    std::vector<std::string> args, env;
    std::string cwd = "/";
    std::optional<Capabilities> capabilities;
    std::vector<Rlimit> rlimits;
    bool noNewPrivileges = false;
    std::optional<int> oomScoreAdj;
    std::string apparmorProfile, selinuxLabel;
    std::optional<Scheduler> scheduler;
    std::optional<IoPriority> ioPriority;
    std::string initialCpus, finalCpus;  ///< execCPUAffinity: of an exec alone
    std::optional<ConsoleSize> consoleSize;
  };

  std::string ociVersion;
  Process process;
  std::string rootPath;
  bool rootReadonly = false;
  std::string hostname, domainname;
  std::vector<Mount> mounts;
  std::vector<Namespace> namespaces;
  std::vector<IdMapping> uidMappings, gidMappings;  ///< of the new user namespace
  std::map<std::string, TimeOffset> timeOffsets;    ///< by clock ("monotonic", "boottime")
  std::vector<Device> devices;
  std::string cgroupsPath, rootfsPropagation, mountLabel;
  std::optional<Personality> personality;
  std::optional<IntelRdt> intelRdt;
  std::map<std::string, std::string> netDevices;  ///< host's name -> name inside
  Resources resources;
  std::optional<Seccomp> seccomp;
  std::map<std::string, std::string> sysctl;
  std::vector<std::string> maskedPaths, readonlyPaths;

  const Namespace* findNamespace(const std::string& type) const;
};

/// Throws Failure(step::kHelperConfig).
Spec readSpec(const std::string& path);
/// Documents that stand alone: a `process` object (exec) and a `linux.resources` object (update). `subject`
/// names them in errors.
Spec::Process readProcessText(const std::string& text, const std::string& subject);
Spec::Resources readResourcesText(const std::string& text, const std::string& subject);

}  // namespace tsrun
