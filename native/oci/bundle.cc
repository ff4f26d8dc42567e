#include "oci/bundle.h"

#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/failure.h"
#include "runtime/file.h"
#include "runtime/steps.h"

namespace tsrun::oci {
namespace {

using Json = nlohmann::json;

std::vector<std::string> textsOf(const Json& object, const char* name) {
  if (!object.contains(name) || object[name].is_null()) return {};
  std::vector<std::string> texts = object[name].get<std::vector<std::string>>();
  for (const std::string& text : texts)
    if (text.find('\0') != std::string::npos) throw std::runtime_error(std::string(name) + " contains a NUL");
  return texts;
}

std::vector<Hook> hooksOf(const Json& config, const char* point) {
  std::vector<Hook> hooks;
  if (!config.contains("hooks") || !config["hooks"].is_object() || !config["hooks"].contains(point))
    return hooks;
  const Json& list = config["hooks"][point];
  if (list.is_null()) return hooks;
  if (!list.is_array()) throw std::runtime_error(std::string("hooks.") + point + " is not a list");
  for (const Json& item : list) {
    Hook hook;
    hook.path = item.at("path").get<std::string>();
    if (!hook.path.starts_with('/') || hook.path.find('\0') != std::string::npos)
      throw std::runtime_error(std::string("hooks.") + point + ".path is not absolute: " + hook.path);
    hook.args = textsOf(item, "args");
    hook.env = textsOf(item, "env");
    if (item.contains("timeout") && !item["timeout"].is_null()) {
      hook.timeout = item["timeout"].get<int>();
      if (hook.timeout <= 0)
        throw std::runtime_error(std::string("hooks.") + point + ".timeout is not positive");
    }
    hooks.push_back(std::move(hook));
  }
  return hooks;
}

void readExtras(const Json& config, Bundle& bundle) {
  if (config.contains("annotations") && config["annotations"].is_object())
    bundle.annotations = config["annotations"].get<std::map<std::string, std::string>>();
  bundle.prestart = hooksOf(config, "prestart");
  bundle.createRuntime = hooksOf(config, "createRuntime");
  bundle.createContainer = hooksOf(config, "createContainer");
  bundle.startContainer = hooksOf(config, "startContainer");
  bundle.poststart = hooksOf(config, "poststart");
  bundle.poststop = hooksOf(config, "poststop");
}

bool isBind(const Spec::Mount& mount) {
  if (mount.type == "bind") return true;
  for (const std::string& option : mount.options)
    if (option == "bind" || option == "rbind") return true;
  return false;
}

}  // namespace

std::optional<Launch::Size> consoleSizeOf(const Spec::Process& process) {
  if (!process.consoleSize) return std::nullopt;
  return Launch::Size{process.consoleSize->height, process.consoleSize->width};
}

Bundle readBundle(const std::string& dir, const std::string& file) {
  Bundle bundle;
  char resolved[PATH_MAX];
  if (realpath(dir.c_str(), resolved) == nullptr) fail(step::kHelperConfig, dir);
  bundle.dir = resolved;
  bundle.text = readFile(file, step::kHelperConfig);
  bundle.spec = readSpec(file);
  try {
    readExtras(Json::parse(bundle.text), bundle);
  } catch (const std::exception& error) {
    throw Failure(step::kHelperConfig, EINVAL, file, error.what());
  }
  Spec& spec = bundle.spec;
  bundle.launch.consoleSize = consoleSizeOf(spec.process);
  if (spec.rootPath.empty()) throw Failure(step::kHelperConfig, EINVAL, file, "root.path is missing");
  if (!spec.rootPath.starts_with('/')) spec.rootPath = bundle.dir + "/" + spec.rootPath;
  if (realpath(spec.rootPath.c_str(), resolved) == nullptr) fail(step::kHelperConfig, spec.rootPath);
  spec.rootPath = resolved;
  for (Spec::Mount& mount : spec.mounts)
    if (isBind(mount) && !mount.source.starts_with('/')) mount.source = bundle.dir + "/" + mount.source;
  return bundle;
}

}  // namespace tsrun::oci
