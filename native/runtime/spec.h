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
  struct Mount {
    std::string destination, type, source;
    std::vector<std::string> options;
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
    std::vector<SeccompRule> syscalls;
  };
  struct Resources {
    std::vector<DeviceRule> devices;
    std::optional<std::int64_t> memoryLimit, memoryReservation, memorySwap;
    std::optional<std::uint64_t> cpuShares, cpuPeriod;
    std::optional<std::int64_t> cpuQuota, pidsLimit;
    std::string cpusetCpus, cpusetMems;
    std::optional<unsigned> blkioWeight;
    std::map<std::string, std::string> unified;
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
  };

  std::string ociVersion;
  Process process;
  std::string rootPath;
  bool rootReadonly = false;
  std::string hostname, domainname;
  std::vector<Mount> mounts;
  std::vector<Namespace> namespaces;
  std::vector<Device> devices;
  std::string cgroupsPath, rootfsPropagation;
  Resources resources;
  std::optional<Seccomp> seccomp;
  std::map<std::string, std::string> sysctl;
  std::vector<std::string> maskedPaths, readonlyPaths;

  const Namespace* findNamespace(const std::string& type) const;
};

/// Throws Failure(step::kHelperConfig).
Spec readSpec(const std::string& path);

}  // namespace tsrun
