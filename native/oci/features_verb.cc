#include <unistd.h>

#include <nlohmann/json.hpp>

#include "oci/context.h"
#include "runtime/caps.h"
#include "runtime/file.h"

namespace tsrun::oci {

using Json = nlohmann::ordered_json;

int featuresVerb(const Context&) {
  Json capabilities = Json::array();
  for (const std::string& name : capabilityNames()) capabilities.push_back("CAP_" + name);
  const Json features{
      {"ociVersionMin", "1.0.0"},
      {"ociVersionMax", "1.2.1"},
      {"hooks", {"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"}},
      {"mountOptions", {"atime",       "bind",           "defaults", "dev",          "diratime",
                        "exec",        "noatime",        "nodev",    "nodiratime",   "noexec",
                        "norelatime",  "nostrictatime",  "nosuid",   "nosymfollow",  "private",
                        "ratime",      "rbind",          "rdev",     "rdiratime",    "relatime",
                        "rexec",       "rnoatime",       "rnodev",   "rnodiratime",  "rnoexec",
                        "rnorelatime", "rnostrictatime", "rnosuid",  "rnosymfollow", "ro",
                        "rprivate",    "rrelatime",      "rro",      "rrw",          "rshared",
                        "rslave",      "rstrictatime",   "rsuid",    "rsymfollow",   "runbindable",
                        "rw",          "shared",         "slave",    "strictatime",  "suid",
                        "symfollow",   "unbindable"}},
      {"linux",
       {{"namespaces", {"cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"}},
        {"capabilities", capabilities},
        {"cgroup", {{"v1", true}, {"v2", true}, {"systemd", false}, {"systemdUser", false}, {"rdma", false}}},
        {"seccomp",
         {{"enabled", true},
          {"actions",
           {"SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS",
            "SCMP_ACT_KILL_THREAD", "SCMP_ACT_LOG", "SCMP_ACT_NOTIFY", "SCMP_ACT_TRACE", "SCMP_ACT_TRAP"}},
          {"operators",
           {"SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_LE", "SCMP_CMP_LT", "SCMP_CMP_MASKED_EQ",
            "SCMP_CMP_NE"}},
          {"archs", {"SCMP_ARCH_X32", "SCMP_ARCH_X86", "SCMP_ARCH_X86_64"}}}},
        {"apparmor", {{"enabled", false}}},
        {"selinux", {{"enabled", false}}},
        {"intelRdt", {{"enabled", false}}},
        {"mountExtensions", {{"idmap", {{"enabled", true}}}}}}},
      {"annotations", Json::object()},
      {"potentiallyUnsafeConfigAnnotations", Json::array()},
  };
  const std::string text = features.dump(2) + "\n";
  return writeAll(STDOUT_FILENO, text.data(), text.size()) ? 0 : 1;
}

}  // namespace tsrun::oci
