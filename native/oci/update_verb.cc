#include <cctype>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/failure.h"
#include "oci/context.h"
#include "oci/read_all.h"
#include "oci/state.h"
#include "runtime/file.h"
#include "runtime/spec.h"
#include "runtime/steps.h"

namespace tsrun::oci {
namespace {

using Json = nlohmann::json;

enum class Kind { number, bytes, text };

/// An option and the field of `linux.resources` that it sets.
struct Field {
  const char* option;
  const char* section;
  const char* name;
  Kind kind;
};
constexpr Field kFields[] = {
    {"memory", "memory", "limit", Kind::bytes},
    {"memory-reservation", "memory", "reservation", Kind::bytes},
    {"memory-swap", "memory", "swap", Kind::bytes},
    {"cpu-period", "cpu", "period", Kind::number},
    {"cpu-quota", "cpu", "quota", Kind::number},
    {"cpu-share", "cpu", "shares", Kind::number},
    {"cpu-rt-period", "cpu", "realtimePeriod", Kind::number},
    {"cpu-rt-runtime", "cpu", "realtimeRuntime", Kind::number},
    {"cpu-idle", "cpu", "idle", Kind::number},
    {"cpu-burst", "cpu", "burst", Kind::number},
    {"cpuset-cpus", "cpu", "cpus", Kind::text},
    {"cpuset-mems", "cpu", "mems", Kind::text},
    {"blkio-weight", "blockIO", "weight", Kind::number},
    {"pids-limit", "pids", "limit", Kind::number},
};

/// "-1", "300", "50M", "1g", "2KiB".
std::int64_t numberOf(const std::string& text, const std::string& option, bool bytes) {
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  std::string unit(stop, end);
  for (char& c : unit) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (unit.ends_with("ib")) unit.resize(unit.size() - 2);
  if (unit.ends_with("b")) unit.pop_back();
  constexpr std::string_view kUnits = "kmgtp";
  const bool plain = stop == end;
  const std::size_t power = unit.size() == 1 ? kUnits.find(unit[0]) : std::string_view::npos;
  const bool fine = plain || (bytes && number >= 0 && (unit.empty() || power != std::string_view::npos));
  if (error != std::errc() || !fine)
    throw Failure(step::kUsage, 0, "--" + option + " " + text, "not a number");
  if (plain || unit.empty()) return number;
  const int shift = 10 * (static_cast<int>(power) + 1);
  if (number > (INT64_MAX >> shift)) throw Failure(step::kUsage, 0, "--" + option + " " + text, "too large");
  return number << shift;
}

Json resourcesOf(const Options& options) {
  if (const auto file = options.value("resources")) {
    const Json value = Json::parse(readAll(*file), nullptr, false);
    if (!value.is_object()) throw Failure(step::kHelperConfig, EINVAL, *file, "not a JSON object");
    return value;
  }
  Json resources = Json::object();
  for (const Field& field : kFields) {
    const auto text = options.value(field.option);
    if (!text) continue;
    Json& place = resources[field.section][field.name];
    if (field.kind == Kind::text)
      place = *text;
    else
      place = numberOf(*text, field.option, field.kind == Kind::bytes);
  }
  return resources;
}

Json sectionOf(const Json& resources, const char* name) {
  return resources.contains(name) && resources[name].is_object() ? resources[name] : Json::object();
}

/// What cannot be set by itself, given what held until now.
void complete(Json& change, const Json& before) {
  Json memory = sectionOf(change, "memory");
  // Without a limit of memory there can be none of memory and swap together.
  if (memory.value("limit", std::int64_t{0}) == -1 && !memory.contains("swap")) change["memory"]["swap"] = -1;
  const Json old = sectionOf(before, "cpu");
  const Json cpu = sectionOf(change, "cpu");
  if (cpu.contains("quota") == cpu.contains("period")) return;
  // v2 has both in one file.
  for (const char* name : {"quota", "period"})
    if (!cpu.contains(name) && old.contains(name)) change["cpu"][name] = old[name];
}

}  // namespace

int updateVerb(const Context& context) {
  Container container = Container::open(context.root, onlyId(context));
  container.lock();
  const Status status = container.status();
  if (status == Status::stopped || status == Status::creating)
    throw Failure("update", 0, container.state().id, "container not running");
  const auto cgroup = container.cgroup();
  if (!cgroup) throw Failure("update", ENOENT, container.state().id, "the container has no cgroup");

  Json config = Json::parse(readFile(container.configPath(), step::kHelperConfig));
  Json& held = config["linux"]["resources"];
  if (!held.is_object()) held = Json::object();
  Json change = resourcesOf(context.options);
  complete(change, held);
  // Devices are not changed: what is allowed was settled when it was made.
  change.erase("devices");
  cgroup->update(readResourcesText(change.dump(), "resources"));
  held.merge_patch(change);
  replaceFile(container.dir(), "config.json", config.dump() + "\n", false, step::kRecord);
  return 0;
}

}  // namespace tsrun::oci
