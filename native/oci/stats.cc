#include "oci/stats.h"

#include <charconv>
#include <sstream>

#include "runtime/cgroup_parts.h"

namespace tsrun::oci {
namespace {

using Json = nlohmann::ordered_json;

std::uint64_t numberOf(std::string_view text) {
  std::uint64_t number = 0;
  if (text.starts_with("max")) return UINT64_MAX;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

/// One directory of the cgroup.
class Files {
 public:
  explicit Files(std::string dir) : dir_(std::move(dir)) {}

  bool has(const std::string& name) const { return !dir_.empty() && cgroupfs::exists(dir_ + "/" + name); }
  std::string text(const std::string& name) const {
    return dir_.empty() ? "" : cgroupfs::read(dir_ + "/" + name).value_or("");
  }
  std::uint64_t number(const std::string& name) const { return numberOf(text(name)); }
  /// Of a file of lines "key value".
  std::uint64_t number(const std::string& name, std::string_view key) const {
    const auto words = cgroupfs::words(text(name));
    for (std::size_t i = 0; i + 1 < words.size(); i += 2)
      if (words[i] == key) return numberOf(words[i + 1]);
    return 0;
  }
  /// All of such a file.
  Json map(const std::string& name) const {
    Json result = Json::object();
    const auto words = cgroupfs::words(text(name));
    for (std::size_t i = 0; i + 1 < words.size(); i += 2) result[words[i]] = numberOf(words[i + 1]);
    return result;
  }

 private:
  std::string dir_;
};

Json cpuOf(const Cgroup& cgroup) {
  Json usage, throttling;
  constexpr std::uint64_t kNanos = 1000;
  if (cgroup.isV1("cpuacct")) {
    const Files files(cgroup.directoryOf("cpuacct"));
    usage["total"] = files.number("cpuacct.usage");
    usage["percpu"] = Json::array();
    for (const std::string& word : cgroupfs::words(files.text("cpuacct.usage_percpu")))
      usage["percpu"].push_back(numberOf(word));
    // In ticks of 10 ms.
    usage["kernel"] = files.number("cpuacct.stat", "system") * 10000000;
    usage["user"] = files.number("cpuacct.stat", "user") * 10000000;
  } else {
    const Files files(cgroup.directoryOf("cpu"));
    usage["total"] = files.number("cpu.stat", "usage_usec") * kNanos;
    usage["kernel"] = files.number("cpu.stat", "system_usec") * kNanos;
    usage["user"] = files.number("cpu.stat", "user_usec") * kNanos;
  }
  const Files files(cgroup.directoryOf("cpu"));
  const bool v1 = cgroup.isV1("cpu");
  throttling["periods"] = files.number("cpu.stat", "nr_periods");
  throttling["throttledPeriods"] = files.number("cpu.stat", "nr_throttled");
  throttling["throttledTime"] =
      v1 ? files.number("cpu.stat", "throttled_time") : files.number("cpu.stat", "throttled_usec") * kNanos;
  return {{"usage", usage}, {"throttling", throttling}};
}

Json counterOf(const Files& files, const std::string& prefix) {
  return {{"limit", files.number(prefix + ".limit_in_bytes")},
          {"usage", files.number(prefix + ".usage_in_bytes")},
          {"max", files.number(prefix + ".max_usage_in_bytes")},
          {"failcnt", files.number(prefix + ".failcnt")}};
}

Json memoryOf(const Cgroup& cgroup) {
  const Files files(cgroup.directoryOf("memory"));
  Json memory;
  if (cgroup.isV1("memory")) {
    memory["cache"] = files.number("memory.stat", "cache");
    memory["usage"] = counterOf(files, "memory");
    memory["swap"] = counterOf(files, "memory.memsw");
    memory["kernel"] = counterOf(files, "memory.kmem");
    memory["kernelTCP"] = counterOf(files, "memory.kmem.tcp");
  } else {
    memory["cache"] = files.number("memory.stat", "file");
    memory["usage"] = {{"limit", files.number("memory.max")},
                       {"usage", files.number("memory.current")},
                       {"max", files.number("memory.peak")},
                       {"failcnt", files.number("memory.events", "max")}};
    memory["swap"] = {{"limit", files.number("memory.swap.max")},
                      {"usage", files.number("memory.swap.current")},
                      {"max", files.number("memory.swap.peak")},
                      {"failcnt", files.number("memory.swap.events", "max")}};
  }
  memory["raw"] = files.map("memory.stat");
  return memory;
}

/// "8:0 Read 4096" of v1.
Json entriesV1(const std::string& text) {
  Json list = Json::array();
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto words = cgroupfs::words(line);
    const std::size_t colon = words.empty() ? std::string::npos : words[0].find(':');
    if (words.size() != 3 || colon == std::string::npos) continue;
    list.push_back({{"major", numberOf(words[0].substr(0, colon))},
                    {"minor", numberOf(words[0].substr(colon + 1))},
                    {"op", words[1]},
                    {"value", numberOf(words[2])}});
  }
  return list;
}

/// "8:0 rbytes=1 wbytes=2 rios=3 wios=4 …" of v2, as v1 would tell it.
Json blkioV2(const std::string& text) {
  Json bytes = Json::array(), requests = Json::array();
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto words = cgroupfs::words(line);
    const std::size_t colon = words.empty() ? std::string::npos : words[0].find(':');
    if (colon == std::string::npos) continue;
    for (std::size_t i = 1; i < words.size(); ++i) {
      const std::size_t equals = words[i].find('=');
      const std::string key = words[i].substr(0, equals);
      if (equals == std::string::npos || (!key.ends_with("bytes") && !key.ends_with("ios"))) continue;
      const char* op = key[0] == 'r' ? "Read" : key[0] == 'w' ? "Write" : "Discard";
      (key.ends_with("bytes") ? bytes : requests)
          .push_back({{"major", numberOf(words[0].substr(0, colon))},
                      {"minor", numberOf(words[0].substr(colon + 1))},
                      {"op", op},
                      {"value", numberOf(words[i].substr(equals + 1))}});
    }
  }
  return {{"ioServiceBytesRecursive", bytes}, {"ioServicedRecursive", requests}};
}

Json blkioOf(const Cgroup& cgroup) {
  if (!cgroup.isV1("blkio")) return blkioV2(Files(cgroup.directoryOf("io")).text("io.stat"));
  const Files files(cgroup.directoryOf("blkio"));
  const std::string kind =
      files.has("blkio.bfq.io_service_bytes_recursive") ? "blkio.bfq." : "blkio.throttle.";
  return {{"ioServiceBytesRecursive", entriesV1(files.text(kind + "io_service_bytes_recursive"))},
          {"ioServicedRecursive", entriesV1(files.text(kind + "io_serviced_recursive"))}};
}

}  // namespace

nlohmann::ordered_json statsOf(const Cgroup& cgroup) {
  const Files pids(cgroup.directoryOf("pids"));
  const std::uint64_t limit = pids.number("pids.max");
  Json count{{"current", pids.number("pids.current")}};
  if (limit != UINT64_MAX && limit != 0) count["limit"] = limit;
  return {{"cpu", cpuOf(cgroup)},         {"memory", memoryOf(cgroup)}, {"pids", count},
          {"blkio", blkioOf(cgroup)},     {"hugetlb", Json::object()},  {"intel_rdt", Json::object()},
          {"network_interfaces", nullptr}};
}

}  // namespace tsrun::oci
