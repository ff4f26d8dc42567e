#include "runtime/sysctl.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/failure.h"
#include "base/unique_fd.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

constexpr std::string_view kIpc[] = {
    "kernel/msgmax", "kernel/msgmnb", "kernel/msgmni",          "kernel/sem",
    "kernel/shmall", "kernel/shmmax", "kernel/shm_rmid_forced", "kernel/shmmni"};

/// The namespace type that confines the setting at `path`, or "" for one of the whole machine.
std::string_view confinedBy(std::string_view path) {
  if (path.starts_with("net/")) return "network";
  if (path.starts_with("fs/mqueue/") || std::ranges::find(kIpc, path) != std::end(kIpc)) return "ipc";
  if (path == "kernel/domainname" || path == "kernel/hostname") return "uts";
  return "";
}

/// "net.ipv4.ip_forward" or "net/ipv4/conf/eth0.1/forwarding": the first separator decides which of the two
/// it is.
std::string toPath(std::string key) {
  const std::size_t first = key.find_first_of("./");
  if (first == std::string::npos || key[first] == '/') return key;
  for (char& c : key) c = c == '.' ? '/' : c == '/' ? '.' : c;
  return key;
}

}  // namespace

Sysctls::Sysctls(const Spec& spec) {
  for (const auto& [key, value] : spec.sysctl) {
    const std::string path = toPath(key);
    if (path.starts_with('/') || ("/" + path + "/").find("/../") != std::string::npos)
      throw Failure(step::kSysctl, EINVAL, key, "not the name of a kernel setting");
    const std::string_view type = confinedBy(path);
    const Spec::Namespace* ns = type.empty() ? nullptr : spec.findNamespace(std::string(type));
    if (ns == nullptr)
      throw Failure(step::kSysctl, EPERM, key, "is not in a separate kernel namespace of the container");
    items_.push_back({key, "sys/" + path, value});
  }
}

void Sysctls::write(int proc, Report& report) const {
  if (items_.empty()) return;
  report.step(step::kSysctl);
  for (const Item& item : items_) {
    UniqueFd file(openat(proc, item.path.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!file) report.die(item.key.c_str());
    if (::write(file.get(), item.value.data(), item.value.size()) != static_cast<ssize_t>(item.value.size()))
      report.die(item.key.c_str(), item.value.c_str());
  }
}

}  // namespace tsrun
