#include "runtime/spec.h"

#include <cerrno>

#include "base/failure.h"
#include "runtime/file.h"
#include "runtime/spec_node.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

using specfile::Node, specfile::Json;

Spec::Scheduler schedulerOf(const Node& node) {
  Spec::Scheduler scheduler;
  node.need("policy");
  node.read("policy", scheduler.policy);
  node.read("nice", scheduler.nice);
  node.read("priority", scheduler.priority);
  node.read("flags", scheduler.flags);
  node.read("runtime", scheduler.runtime);
  node.read("deadline", scheduler.deadline);
  node.read("period", scheduler.period);
  return scheduler;
}

/// How the process runs: its confinement, its share of processors and discs, its terminal.
void readRunning(const Node& node, Spec::Process& process) {
  node.read("apparmorProfile", process.apparmorProfile);
  node.read("selinuxLabel", process.selinuxLabel);
  node.object("scheduler", [&](const Node& item) { process.scheduler = schedulerOf(item); });
  node.object("ioPriority", [&](const Node& item) {
    Spec::IoPriority& priority = process.ioPriority.emplace();
    item.need("class");
    item.read("class", priority.ioClass);
    item.read("priority", priority.priority);
  });
  node.object("execCPUAffinity", [&](const Node& item) {
    item.read("initial", process.initialCpus);
    item.read("final", process.finalCpus);
  });
  node.object("consoleSize", [&](const Node& item) {
    Spec::ConsoleSize& size = process.consoleSize.emplace();
    item.read("height", size.height);
    item.read("width", size.width);
  });
}

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
    for (const Spec::Rlimit& other : process.rlimits)
      if (other.type == limit.type) throw std::runtime_error("process.rlimits has " + limit.type + " twice");
    process.rlimits.push_back(limit);
  });
  readRunning(node, process);
}

Spec::Mount mountOf(const Node& node) {
  Spec::Mount mount;
  node.need("destination");
  node.read("destination", mount.destination);
  node.read("type", mount.type);
  node.read("source", mount.source);
  node.read("options", mount.options);
  specfile::readMappings(node, "uidMappings", mount.uidMappings);
  specfile::readMappings(node, "gidMappings", mount.gidMappings);
  return mount;
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
  node.object("linux", [&](const Node& item) { specfile::readLinux(item, spec); });
  return spec;
}

}  // namespace

const Spec::Namespace* Spec::findNamespace(const std::string& type) const {
  for (const Namespace& ns : namespaces)
    if (ns.type == type) return &ns;
  return nullptr;
}

namespace {

template <typename T>
T parse(const std::string& text, const std::string& subject, T (*read)(const Node&)) {
  try {
    return read(Node(Json::parse(text), ""));
  } catch (const std::exception& error) {
    throw Failure(step::kHelperConfig, EINVAL, subject, error.what());
  }
}

}  // namespace

Spec readSpec(const std::string& path) {
  return parse<Spec>(readFile(path, step::kHelperConfig), path, specOf);
}

Spec::Process readProcessText(const std::string& text, const std::string& subject) {
  return parse<Spec::Process>(text, subject, [](const Node& node) {
    Spec::Process process;
    readProcess(node, process);
    return process;
  });
}

Spec::Resources readResourcesText(const std::string& text, const std::string& subject) {
  return parse<Spec::Resources>(text, subject, specfile::resourcesOf);
}

}  // namespace tsrun
