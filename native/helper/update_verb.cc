#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "base/failure.h"
#include "helper/args.h"
#include "helper/process.h"
#include "helper/verbs.h"
#include "runtime/cgroup.h"
#include "runtime/file.h"
#include "runtime/records.h"
#include "runtime/spec.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

using Json = nlohmann::ordered_json;

std::string readInput() {
  std::string text;
  char data[4096];
  for (;;) {
    const ssize_t got = read(STDIN_FILENO, data, sizeof data);
    if (got < 0 && errno == EINTR) continue;
    check(got, step::kCgroupUpdate, "input");
    if (got == 0) return text;
    text.append(data, static_cast<std::size_t>(got));
  }
}

std::vector<cgroupfs::Write> writesOf(const std::string& text) {
  std::vector<cgroupfs::Write> writes;
  try {
    for (const Json& value : Json::parse(text)) {
      writes.push_back({value.at("controller").get<std::string>(), value.at("file").get<std::string>(),
                        value.at("value").get<std::string>()});
    }
  } catch (const std::exception& error) {
    throw Failure(step::kCgroupUpdate, EINVAL, "input", error.what());
  }
  return writes;
}

Json jsonOf(const std::vector<cgroupfs::Write>& writes) {
  Json list = Json::array();
  for (const cgroupfs::Write& write : writes)
    list.push_back({{"controller", write.controller}, {"file", write.file}, {"value", write.value}});
  return list;
}

Json update(const Args& args) {
  const Spec spec = readSpec(args.required("dir") + "/config.json");
  const Cgroup cgroup = Cgroup::open(spec.cgroupsPath);
  if (!args.optional("restore")) return {{"before", jsonOf(cgroup.update(spec.resources))}};
  cgroup.restore(writesOf(readInput()));
  return {{"before", Json::array()}};
}

}  // namespace

int updateVerb(int argc, char** argv) {
  resetSignals();
  prctl(PR_SET_DUMPABLE, 0);
  try {
    sealFds();
    const Json result{{"ok", update(Args(argc, argv))}};
    const std::string line = result.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    writeAll(STDERR_FILENO, line.data(), line.size());
    return 0;
  } catch (const Failure& failure) {
    const std::string line = failureLine(failure);
    writeAll(STDERR_FILENO, line.data(), line.size());
    return 1;
  }
}

}  // namespace tsrun
