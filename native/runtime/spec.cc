#include "runtime/spec.h"

#include <cerrno>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "base/failure.h"
#include "runtime/file.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

using Json = nlohmann::json;

/// One JSON object of the spec. Almost every field of it is optional and unknown ones are ignored, as the OCI
/// asks; what is there must have the right type. Errors name the field by its whole path.
class Node {
 public:
  Node(const Json& value, std::string path) : value_(value), path_(std::move(path)) {
    if (!value.is_object())
      throw std::runtime_error((path_.empty() ? "the document" : path_) + " is not an object");
  }

  void read(const char* name, std::string& out) const {
    if (const Json* value = find(name)) out = textOf(*value, pathOf(name));
  }
  void read(const char* name, bool& out) const {
    const Json* value = find(name);
    if (value == nullptr) return;
    if (!value->is_boolean()) throw std::runtime_error(pathOf(name) + " is not a boolean");
    out = value->get<bool>();
  }
  template <typename T>
    requires std::is_integral_v<T>
  void read(const char* name, T& out) const {
    if (const Json* value = find(name)) out = numberOf<T>(*value, pathOf(name));
  }
  template <typename T>
    requires std::is_integral_v<T>
  void read(const char* name, std::optional<T>& out) const {
    if (const Json* value = find(name)) out = numberOf<T>(*value, pathOf(name));
  }
  void read(const char* name, std::vector<std::string>& out) const {
    eachValue(name, [&](const Json& value, const std::string& path) { out.push_back(textOf(value, path)); });
  }
  void read(const char* name, std::vector<unsigned>& out) const {
    eachValue(name, [&](const Json& value, const std::string& path) {
      out.push_back(numberOf<unsigned>(value, path));
    });
  }
  void read(const char* name, std::map<std::string, std::string>& out) const {
    const Json* value = find(name);
    if (value == nullptr) return;
    const Node node(*value, pathOf(name));
    for (const auto& [key, item] : value->items()) out[key] = textOf(item, node.pathOf(key.c_str()));
  }

  /// Calls `visit` with the object `name`, if it is there.
  void object(const char* name, auto visit) const {
    if (const Json* value = find(name)) visit(Node(*value, pathOf(name)));
  }
  /// Calls `visit` with each object of the list `name`.
  void each(const char* name, auto visit) const {
    eachValue(name, [&](const Json& value, const std::string& path) { visit(Node(value, path)); });
  }
  /// A one-letter field.
  void letter(const char* name, std::string_view allowed, char& out) const {
    std::string text(1, out);
    read(name, text);
    if (text.size() != 1 || allowed.find(text[0]) == std::string_view::npos)
      throw std::runtime_error(pathOf(name) + " is not one of " + std::string(allowed));
    out = text[0];
  }
  void need(const char* name) const {
    if (find(name) == nullptr) throw std::runtime_error(pathOf(name) + " is missing");
  }

 private:
  std::string pathOf(const char* name) const { return path_.empty() ? name : path_ + "." + name; }

  const Json* find(const char* name) const {
    const auto found = value_.find(name);
    return found == value_.end() || found->is_null() ? nullptr : &*found;
  }

  void eachValue(const char* name, auto visit) const {
    const Json* list = find(name);
    if (list == nullptr) return;
    if (!list->is_array()) throw std::runtime_error(pathOf(name) + " is not a list");
    std::size_t index = 0;
    for (const Json& value : *list) visit(value, pathOf(name) + "[" + std::to_string(index++) + "]");
  }

  /// A NUL would cut the text short on its way into a system call, and name something else.
  static std::string textOf(const Json& value, const std::string& path) {
    if (!value.is_string()) throw std::runtime_error(path + " is not a string");
    std::string text = value.get<std::string>();
    if (text.find('\0') != std::string::npos) throw std::runtime_error(path + " contains a NUL");
    return text;
  }

  /// Checked against the range of T: a number that does not fit must not wrap round to another
  /// (CVE-2024-40635).
  template <typename T>
  static T numberOf(const Json& value, const std::string& path) {
    bool fits = false;
    if (value.is_number_unsigned())
      fits = value.get<std::uint64_t>() <= static_cast<std::uint64_t>(std::numeric_limits<T>::max());
    else if (value.is_number_integer())
      fits = std::is_signed_v<T> &&
             value.get<std::int64_t>() >= static_cast<std::int64_t>(std::numeric_limits<T>::min());
    if (!fits) throw std::runtime_error(path + " is not a whole number in range");
    return value.get<T>();
  }

  const Json& value_;
  std::string path_;
};

void readProcess(const Node& node, Spec::Process& process) {
  node.need("args");
  node.read("terminal", process.terminal);
  node.read("args", process.args);
  node.read("env", process.env);
  node.read("cwd", process.cwd);
  node.read("noNewPrivileges", process.noNewPrivileges);
  node.read("oomScoreAdj", process.oomScoreAdj);
  if (process.args.empty() || process.args[0].empty()) throw std::runtime_error("process.args is empty");
  if (!process.cwd.starts_with('/')) throw std::runtime_error("process.cwd is not absolute");
  node.object("user", [&](const Node& user) {
    user.read("uid", process.uid);
    user.read("gid", process.gid);
    user.read("umask", process.umask);
    user.read("additionalGids", process.additionalGids);
  });
  node.object("capabilities", [&](const Node& sets) {
    Spec::Capabilities& capabilities = process.capabilities.emplace();
    sets.read("bounding", capabilities.bounding);
    sets.read("effective", capabilities.effective);
    sets.read("permitted", capabilities.permitted);
    sets.read("inheritable", capabilities.inheritable);
    sets.read("ambient", capabilities.ambient);
  });
  node.each("rlimits", [&](const Node& item) {
    Spec::Rlimit limit;
    item.read("type", limit.type);
    item.read("soft", limit.soft);
    item.read("hard", limit.hard);
    process.rlimits.push_back(limit);
  });
}

Spec::Mount mountOf(const Node& node) {
  Spec::Mount mount;
  node.need("destination");
  node.read("destination", mount.destination);
  node.read("type", mount.type);
  node.read("source", mount.source);
  node.read("options", mount.options);
  return mount;
}

Spec::Device deviceOf(const Node& node) {
  Spec::Device device;
  node.need("path");
  node.letter("type", "cbup", device.type);
  node.read("path", device.path);
  node.read("major", device.major);
  node.read("minor", device.minor);
  node.read("fileMode", device.fileMode);
  node.read("uid", device.uid);
  node.read("gid", device.gid);
  return device;
}

Spec::DeviceRule deviceRuleOf(const Node& node) {
  Spec::DeviceRule rule;
  node.need("allow");
  node.read("allow", rule.allow);
  node.letter("type", "abcup", rule.type);
  node.read("major", rule.major);
  node.read("minor", rule.minor);
  node.read("access", rule.access);
  return rule;
}

void readResources(const Node& node, Spec::Resources& resources) {
  node.each("devices", [&](const Node& item) { resources.devices.push_back(deviceRuleOf(item)); });
  node.object("memory", [&](const Node& memory) {
    memory.read("limit", resources.memoryLimit);
    memory.read("reservation", resources.memoryReservation);
    memory.read("swap", resources.memorySwap);
  });
  node.object("cpu", [&](const Node& cpu) {
    cpu.read("shares", resources.cpuShares);
    cpu.read("period", resources.cpuPeriod);
    cpu.read("quota", resources.cpuQuota);
    cpu.read("cpus", resources.cpusetCpus);
    cpu.read("mems", resources.cpusetMems);
  });
  node.object("pids", [&](const Node& pids) { pids.read("limit", resources.pidsLimit); });
  node.object("blockIO", [&](const Node& block) { block.read("weight", resources.blkioWeight); });
  node.read("unified", resources.unified);
}

void readSeccomp(const Node& node, Spec::Seccomp& seccomp) {
  node.need("defaultAction");
  node.read("defaultAction", seccomp.defaultAction);
  node.read("defaultErrnoRet", seccomp.defaultErrnoRet);
  node.read("architectures", seccomp.architectures);
  node.read("flags", seccomp.flags);
  node.each("syscalls", [&](const Node& item) {
    Spec::SeccompRule rule;
    item.read("names", rule.names);
    item.read("action", rule.action);
    item.read("errnoRet", rule.errnoRet);
    item.each("args", [&](const Node& argument) {
      Spec::SeccompArg arg;
      argument.read("index", arg.index);
      argument.read("value", arg.value);
      argument.read("valueTwo", arg.valueTwo);
      argument.read("op", arg.op);
      rule.args.push_back(arg);
    });
    seccomp.syscalls.push_back(std::move(rule));
  });
}

void readLinux(const Node& node, Spec& spec) {
  node.each("namespaces", [&](const Node& item) {
    Spec::Namespace ns;
    item.need("type");
    item.read("type", ns.type);
    item.read("path", ns.path);
    spec.namespaces.push_back(ns);
  });
  node.each("devices", [&](const Node& item) { spec.devices.push_back(deviceOf(item)); });
  node.read("cgroupsPath", spec.cgroupsPath);
  node.read("rootfsPropagation", spec.rootfsPropagation);
  node.read("sysctl", spec.sysctl);
  node.read("maskedPaths", spec.maskedPaths);
  node.read("readonlyPaths", spec.readonlyPaths);
  node.object("resources", [&](const Node& item) { readResources(item, spec.resources); });
  node.object("seccomp", [&](const Node& item) { readSeccomp(item, spec.seccomp.emplace()); });
}

Spec specOf(const Node& node) {
  Spec spec;
  node.need("process");
  node.need("root");
  node.read("ociVersion", spec.ociVersion);
  node.read("hostname", spec.hostname);
  node.read("domainname", spec.domainname);
  node.object("process", [&](const Node& process) { readProcess(process, spec.process); });
  node.object("root", [&](const Node& root) {
    root.read("path", spec.rootPath);
    root.read("readonly", spec.rootReadonly);
  });
  node.each("mounts", [&](const Node& item) { spec.mounts.push_back(mountOf(item)); });
  node.object("linux", [&](const Node& item) { readLinux(item, spec); });
  return spec;
}

}  // namespace

const Spec::Namespace* Spec::findNamespace(const std::string& type) const {
  for (const Namespace& ns : namespaces)
    if (ns.type == type) return &ns;
  return nullptr;
}

Spec readSpec(const std::string& path) {
  const std::string text = readFile(path, step::kHelperConfig);
  try {
    return specOf(Node(Json::parse(text), ""));
  } catch (const std::exception& error) {
    throw Failure(step::kHelperConfig, EINVAL, path, error.what());
  }
}

}  // namespace tsrun
