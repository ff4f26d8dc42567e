// Prints what would be written for the resources on stdin: `cgroup_plan KIND`, with KIND v1, v2 or hybrid
// (all controllers in v1 but hugetlb).
#include <cstdio>
#include <iostream>
#include <iterator>
#include <string>

#include "base/failure.h"
#include "runtime/cgroup_parts.h"

using namespace tsrun;

int main(int argc, char** argv) {
  const std::string kind = argc > 1 ? argv[1] : "";
  cgroupfs::LimitHost host;
  const std::vector<std::string> v1 = {"cpu",     "cpuacct", "cpuset",   "memory", "pids",   "blkio",
                                       "devices", "net_cls", "net_prio", "rdma",   "freezer"};
  if (kind != "v2") host.v1 = v1;
  if (kind == "v1") host.v1.push_back("hugetlb");
  if (kind == "v2") host.v2 = {"cpuset", "cpu", "io", "memory", "pids", "rdma", "hugetlb"};
  if (kind == "hybrid") host.v2 = {"hugetlb"};
  host.hasV2 = kind != "v1";
  host.bfqWeight = argc > 2 && std::string(argv[2]) == "bfq";
  host.hugetlbReserved = true;
  host.memoryUsage = 5000000;
  const std::string text{std::istreambuf_iterator<char>(std::cin), {}};
  try {
    for (const auto& write : cgroupfs::LimitPlan::of(readResourcesText(text, "stdin"), host))
      std::printf("%s=%s\n", write.file.c_str(), write.value.c_str());
  } catch (const Failure& failure) {
    std::printf("%s: %s\n", failure.subject.c_str(), failure.detail.c_str());
  }
}
