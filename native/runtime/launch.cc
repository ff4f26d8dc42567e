#include "runtime/launch.h"

#include <climits>
#include <nlohmann/json.hpp>

#include "base/failure.h"
#include "runtime/file.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

using Json = nlohmann::json;

constexpr int kVersion = 1;

/// Reads fields of one JSON object by name; an error names the field by its whole path.
class Fields {
 public:
  Fields(const Json& value, std::string where) : value_(value), where_(std::move(where)) {
    if (!value.is_object())
      throw std::runtime_error((where_.empty() ? "the document" : where_) + " is not an object");
  }

  bool has(const char* name) const { return value_.contains(name) && !value_[name].is_null(); }

  Fields object(const char* name) const { return Fields(at(name), path(name)); }

  std::string text(const char* name) const { return textOf(at(name), path(name)); }

  bool flag(const char* name) const {
    const Json& value = at(name);
    if (!value.is_boolean()) throw std::runtime_error(path(name) + " is not a boolean");
    return value.get<bool>();
  }

  std::uint64_t number(const char* name, std::uint64_t most) const {
    const Json& value = at(name);
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > most) {
      throw std::runtime_error(path(name) + " is not a whole number up to " + std::to_string(most));
    }
    return value.get<std::uint64_t>();
  }

  /// Also a negative one.
  int integer(const char* name, int least, int most) const {
    const Json& value = at(name);
    if (!value.is_number_integer() || value.get<std::int64_t>() < least || value.get<std::int64_t>() > most) {
      throw std::runtime_error(path(name) + " is not a whole number from " + std::to_string(least) + " to " +
                               std::to_string(most));
    }
    return value.get<int>();
  }

  std::string textOr(const char* name, const std::string& absent) const {
    return has(name) ? text(name) : absent;
  }

  std::map<std::string, std::string> textMap(const char* name) const {
    const Json& value = at(name);
    if (!value.is_object()) throw std::runtime_error(path(name) + " is not an object");
    std::map<std::string, std::string> result;
    for (const auto& [key, entry] : value.items()) result[key] = textOf(entry, path(name) + "." + key);
    return result;
  }

  std::vector<std::string> texts(const char* name) const {
    std::vector<std::string> result;
    for (const Json& value : list(name)) result.push_back(textOf(value, path(name)));
    return result;
  }

  const Json& list(const char* name) const {
    const Json& value = at(name);
    if (!value.is_array()) throw std::runtime_error(path(name) + " is not a list");
    return value;
  }

 private:
  std::string path(const char* name) const { return where_.empty() ? name : where_ + "." + name; }

  const Json& at(const char* name) const {
    const auto found = value_.find(name);
    if (found == value_.end()) throw std::runtime_error(path(name) + " is missing");
    return *found;
  }

  /// A NUL would cut the text short on its way into a system call, and name something else.
  static std::string textOf(const Json& value, const std::string& path) {
    if (!value.is_string()) throw std::runtime_error(path + " is not a string");
    std::string text = value.get<std::string>();
    if (text.find('\0') != std::string::npos) throw std::runtime_error(path + " contains a NUL");
    return text;
  }

  const Json& value_;
  std::string where_;
};

Launch::Overlay overlayOf(const Fields& fields) {
  return {fields.texts("lower"), fields.text("upper"), fields.text("work"), fields.flag("volatile")};
}

Launch::Log logOf(const Fields& fields) {
  Launch::Log log;
  log.driver = fields.text("driver");
  if (log.driver != "json-file" && log.driver != "none")
    throw std::runtime_error("unknown log.driver " + log.driver);
  log.maxSize = fields.number("maxSize", std::uint64_t{1} << 53);
  log.maxFile = static_cast<unsigned>(fields.number("maxFile", 10000));
  log.compress = fields.has("compress") && fields.flag("compress");
  log.attributes = fields.textOr("attributes", "");
  return log;
}

Launch::Network networkOf(const Fields& fields) {
  return {fields.text("mode"), fields.texts("extraHosts"), fields.text("hostname")};
}

Launch::RestartPolicy policyOf(const std::string& name) {
  if (name == "no") return Launch::RestartPolicy::kNo;
  if (name == "on-failure") return Launch::RestartPolicy::kOnFailure;
  if (name == "always") return Launch::RestartPolicy::kAlways;
  if (name == "unless-stopped") return Launch::RestartPolicy::kUnlessStopped;
  throw std::runtime_error("unknown restart.policy " + name);
}

constexpr std::uint64_t kMostMilliseconds = std::uint64_t{1} << 53;

Launch::Health healthOf(const Fields& fields) {
  Launch::Health health;
  health.argv = fields.texts("argv");
  if (health.argv.empty()) throw std::runtime_error("health.argv is empty");
  health.intervalMs = fields.number("intervalMs", kMostMilliseconds);
  health.timeoutMs = fields.number("timeoutMs", kMostMilliseconds);
  health.startPeriodMs = fields.number("startPeriodMs", kMostMilliseconds);
  health.startIntervalMs = fields.number("startIntervalMs", kMostMilliseconds);
  health.retries = static_cast<unsigned>(fields.number("retries", INT_MAX));
  return health;
}

/// Fields that a launch.json of an older tsrun lacks: launch.h says what they are then.
void readLaterFields(const Fields& fields, Launch& launch) {
  if (fields.has("restart")) {
    const Fields restart = fields.object("restart");
    launch.restart = {policyOf(restart.text("policy")),
                      static_cast<unsigned>(restart.number("maxRetries", INT_MAX))};
  }
  if (fields.has("health")) launch.health = healthOf(fields.object("health"));
  if (fields.has("init")) launch.init = fields.flag("init");
  if (fields.has("stopSignal")) launch.stopSignal = fields.integer("stopSignal", 1, 64);
  if (fields.has("stopTimeout")) launch.stopTimeout = fields.integer("stopTimeout", -1, INT_MAX);
  if (fields.has("join")) {
    const Fields join = fields.object("join");
    launch.join = {join.textOr("pid", ""), join.textOr("ipc", ""), join.textOr("network", "")};
  }
  if (fields.has("subpaths")) {
    for (const Json& value : fields.list("subpaths")) {
      const Fields item(value, "subpaths[]");
      launch.subpaths.push_back({item.text("destination"), item.text("subpath")});
    }
  }
  launch.events = fields.textOr("events", "");
  if (fields.has("eventAttributes")) launch.eventAttributes = fields.textMap("eventAttributes");
}

Launch launchOf(const Fields& fields) {
  if (fields.number("version", ~0u) != kVersion) {
    throw std::runtime_error("this tsrun-runtime reads version " + std::to_string(kVersion) + " only");
  }
  Launch launch;
  launch.id = fields.text("id");
  launch.storeTag = fields.text("storeTag");
  if (fields.has("overlay")) launch.overlay = overlayOf(fields.object("overlay"));
  launch.user = fields.text("user");
  launch.groupAdd = fields.texts("groupAdd");
  launch.createCwd = fields.flag("createCwd");
  for (const Json& value : fields.list("copyUp")) {
    const Fields item(value, "copyUp[]");
    launch.copyUp.push_back({item.text("source"), item.text("destination")});
  }
  launch.log = logOf(fields.object("log"));
  launch.network = networkOf(fields.object("network"));
  launch.openStdin = fields.flag("openStdin");
  launch.stdinOnce = fields.flag("stdinOnce");
  if (fields.has("consoleSize")) {
    const Fields size = fields.object("consoleSize");
    launch.consoleSize = Launch::Size{static_cast<unsigned short>(size.number("rows", 0xffff)),
                                      static_cast<unsigned short>(size.number("cols", 0xffff))};
  }
  launch.autoRemove = fields.flag("autoRemove");
  launch.nameFile = fields.text("nameFile");
  launch.anonymousVolumes = fields.texts("anonymousVolumes");
  readLaterFields(fields, launch);
  return launch;
}

}  // namespace

Launch readLaunch(const std::string& path) {
  const std::string text = readFile(path, step::kHelperConfig);
  try {
    return launchOf(Fields(Json::parse(text), ""));
  } catch (const std::exception& error) {
    throw Failure(step::kHelperConfig, EINVAL, path, error.what());
  }
}

}  // namespace tsrun
