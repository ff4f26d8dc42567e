#include "runtime/spec_node.h"

namespace tsrun::specfile {
namespace {

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

using Rates = std::vector<Spec::BlockDevice>;

void readRates(const Node& node, const char* name, Rates& out) {
  node.each(name, [&](const Node& item) {
    Spec::BlockDevice device;
    item.need("rate");
    item.read("major", device.major);
    item.read("minor", device.minor);
    item.read("rate", device.rate);
    out.push_back(device);
  });
}

void readBlockIo(const Node& node, Spec::Resources& resources) {
  node.read("weight", resources.blkioWeight);
  node.read("leafWeight", resources.blkioLeafWeight);
  node.each("weightDevice", [&](const Node& item) {
    Spec::BlockDevice device;
    item.read("major", device.major);
    item.read("minor", device.minor);
    item.read("weight", device.weight);
    item.read("leafWeight", device.leafWeight);
    resources.weightDevice.push_back(device);
  });
  readRates(node, "throttleReadBpsDevice", resources.throttleReadBps);
  readRates(node, "throttleWriteBpsDevice", resources.throttleWriteBps);
  readRates(node, "throttleReadIOPSDevice", resources.throttleReadIops);
  readRates(node, "throttleWriteIOPSDevice", resources.throttleWriteIops);
}

void readMemory(const Node& memory, Spec::Resources& resources) {
  memory.read("limit", resources.memoryLimit);
  memory.read("reservation", resources.memoryReservation);
  memory.read("swap", resources.memorySwap);
  memory.read("kernel", resources.memoryKernel);
  memory.read("kernelTCP", resources.memoryKernelTcp);
  memory.read("swappiness", resources.memorySwappiness);
  memory.read("disableOOMKiller", resources.disableOomKiller);
  memory.read("useHierarchy", resources.useHierarchy);
  memory.read("checkBeforeUpdate", resources.checkBeforeUpdate);
}

void readCpu(const Node& cpu, Spec::Resources& resources) {
  cpu.read("shares", resources.cpuShares);
  cpu.read("period", resources.cpuPeriod);
  cpu.read("quota", resources.cpuQuota);
  cpu.read("burst", resources.cpuBurst);
  cpu.read("realtimeRuntime", resources.cpuRealtimeRuntime);
  cpu.read("realtimePeriod", resources.cpuRealtimePeriod);
  cpu.read("idle", resources.cpuIdle);
  cpu.read("cpus", resources.cpusetCpus);
  cpu.read("mems", resources.cpusetMems);
}

void readNetwork(const Node& network, Spec::Resources& resources) {
  network.read("classID", resources.networkClassId);
  network.each("priorities", [&](const Node& item) {
    std::string name;
    std::uint32_t priority = 0;
    item.need("name");
    item.read("name", name);
    item.read("priority", priority);
    resources.networkPriorities[name] = priority;
  });
}

void readSeccomp(const Node& node, Spec::Seccomp& seccomp) {
  node.need("defaultAction");
  node.read("defaultAction", seccomp.defaultAction);
  node.read("defaultErrnoRet", seccomp.defaultErrnoRet);
  node.read("architectures", seccomp.architectures);
  node.read("flags", seccomp.flags);
  node.read("listenerPath", seccomp.listenerPath);
  node.read("listenerMetadata", seccomp.listenerMetadata);
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

Spec::IntelRdt intelRdtOf(const Node& node) {
  Spec::IntelRdt rdt;
  node.read("closID", rdt.closId);
  node.read("l3CacheSchema", rdt.l3CacheSchema);
  node.read("memBwSchema", rdt.memBwSchema);
  node.read("schemata", rdt.schemata);
  node.read("enableMonitoring", rdt.enableMonitoring);
  return rdt;
}

}  // namespace

void readMappings(const Node& node, const char* name, std::vector<Spec::IdMapping>& out) {
  node.each(name, [&](const Node& item) {
    Spec::IdMapping mapping;
    item.need("size");
    item.read("containerID", mapping.containerID);
    item.read("hostID", mapping.hostID);
    item.read("size", mapping.size);
    out.push_back(mapping);
  });
}

Spec::Resources resourcesOf(const Node& node) {
  Spec::Resources resources;
  node.each("devices", [&](const Node& item) { resources.devices.push_back(deviceRuleOf(item)); });
  node.object("memory", [&](const Node& item) { readMemory(item, resources); });
  node.object("cpu", [&](const Node& item) { readCpu(item, resources); });
  node.object("pids", [&](const Node& pids) { pids.read("limit", resources.pidsLimit); });
  node.object("blockIO", [&](const Node& item) { readBlockIo(item, resources); });
  node.object("network", [&](const Node& item) { readNetwork(item, resources); });
  node.each("hugepageLimits", [&](const Node& item) {
    std::string size;
    item.need("pageSize");
    item.need("limit");
    item.read("pageSize", size);
    item.read("limit", resources.hugepageLimits[size]);
  });
  node.entries("rdma", [&](const std::string& device, const Node& item) {
    item.read("hcaHandles", resources.rdma[device].hcaHandles);
    item.read("hcaObjects", resources.rdma[device].hcaObjects);
  });
  node.read("unified", resources.unified);
  return resources;
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
  node.read("mountLabel", spec.mountLabel);
  node.read("sysctl", spec.sysctl);
  node.read("maskedPaths", spec.maskedPaths);
  node.read("readonlyPaths", spec.readonlyPaths);
  node.object("resources", [&](const Node& item) { spec.resources = resourcesOf(item); });
  node.object("seccomp", [&](const Node& item) { readSeccomp(item, spec.seccomp.emplace()); });
  readMappings(node, "uidMappings", spec.uidMappings);
  readMappings(node, "gidMappings", spec.gidMappings);
  node.entries("timeOffsets", [&](const std::string& clock, const Node& item) {
    Spec::TimeOffset& offset = spec.timeOffsets[clock];
    item.read("secs", offset.secs);
    item.read("nanosecs", offset.nanosecs);
  });
  node.object("personality", [&](const Node& item) {
    Spec::Personality& personality = spec.personality.emplace();
    item.need("domain");
    item.read("domain", personality.domain);
    item.read("flags", personality.flags);
  });
  node.object("intelRdt", [&](const Node& item) { spec.intelRdt = intelRdtOf(item); });
  node.entries("netDevices", [&](const std::string& name, const Node& item) {
    std::string& inside = spec.netDevices[name];
    inside = name;
    item.read("name", inside);
  });
}

}  // namespace tsrun::specfile
