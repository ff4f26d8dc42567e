#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "base/failure.h"
#include "base/unique_fd.h"
#include "oci/context.h"
#include "runtime/cgroup.h"
#include "runtime/file.h"
#include "runtime/steps.h"

namespace tsrun::oci {
namespace {

using Json = nlohmann::ordered_json;

Json mountOf(const char* destination, const char* type, const char* source,
             std::vector<std::string> options) {
  return {{"destination", destination}, {"type", type}, {"source", source}, {"options", std::move(options)}};
}

Json mounts(bool rootless) {
  Json list = Json::array();
  list.push_back(mountOf("/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}));
  list.push_back(mountOf("/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}));
  std::vector<std::string> terminals = {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"};
  // The group of terminals has no meaning where only one id is mapped.
  if (!rootless) terminals.push_back("gid=5");
  list.push_back(mountOf("/dev/pts", "devpts", "devpts", terminals));
  list.push_back(
      mountOf("/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}));
  list.push_back(mountOf("/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}));
  if (rootless) {
    // A sysfs can be mounted only by who owns the network namespace.
    list.push_back(mountOf("/sys", "none", "/sys", {"rbind", "nosuid", "noexec", "nodev", "ro"}));
    return list;
  }
  list.push_back(mountOf("/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}));
  list.push_back(
      mountOf("/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "relatime", "ro"}));
  return list;
}

bool onlyV2() {
  for (const CgroupMount& mount : findCgroupMounts())
    if (!mount.v2) return false;
  return true;
}

Json namespaces(bool rootless) {
  Json list = Json::array();
  const auto add = [&](const char* type) { list.push_back({{"type", type}}); };
  for (const char* type : {"pid", "ipc", "uts", "mount"}) add(type);
  add(rootless ? "user" : "network");
  if (onlyV2()) add("cgroup");
  return list;
}

Json linuxOf(bool rootless) {
  Json result = Json::object();
  if (rootless) {
    result["uidMappings"] = {{{"containerID", 0}, {"hostID", geteuid()}, {"size", 1}}};
    result["gidMappings"] = {{{"containerID", 0}, {"hostID", getegid()}, {"size", 1}}};
  } else {
    result["resources"] = {{"devices", {{{"allow", false}, {"access", "rwm"}}}}};
  }
  result["namespaces"] = namespaces(rootless);
  result["maskedPaths"] = {"/proc/acpi",
                           "/proc/asound",
                           "/proc/kcore",
                           "/proc/keys",
                           "/proc/latency_stats",
                           "/proc/timer_list",
                           "/proc/timer_stats",
                           "/proc/sched_debug",
                           "/proc/scsi",
                           "/sys/firmware",
                           "/sys/devices/virtual/powercap"};
  result["readonlyPaths"] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};
  return result;
}

Json example(bool rootless) {
  const Json capabilities = {"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"};
  return {{"ociVersion", "1.2.1"},
          {"process",
           {{"terminal", true},
            {"user", {{"uid", 0}, {"gid", 0}}},
            {"args", {"sh"}},
            {"env", {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"}},
            {"cwd", "/"},
            {"capabilities",
             {{"bounding", capabilities}, {"effective", capabilities}, {"permitted", capabilities}}},
            {"rlimits", {{{"type", "RLIMIT_NOFILE"}, {"hard", 1024}, {"soft", 1024}}}},
            {"noNewPrivileges", true}}},
          {"root", {{"path", "rootfs"}, {"readonly", true}}},
          {"hostname", "tsrun"},
          {"mounts", mounts(rootless)},
          {"linux", linuxOf(rootless)}};
}

}  // namespace

int specVerb(const Context& context) {
  const std::string path = context.options.valueOr("bundle", ".") + "/config.json";
  const std::string text = example(context.options.flag("rootless")).dump(2) + "\n";
  // Never over somebody's work.
  UniqueFd file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!file) throw Failure("spec", errno, path);
  if (!writeAll(file.get(), text.data(), text.size())) fail("spec", path);
  return 0;
}

}  // namespace tsrun::oci
