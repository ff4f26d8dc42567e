#include "runtime/exec_document.h"

#include <sys/random.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "base/failure.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

using Json = nlohmann::json;

constexpr char kName[] = "process document";
constexpr std::size_t kMost = 64 << 20;

std::string readAll(int fd) {
  std::string text;
  char data[16 << 10];
  for (;;) {
    const ssize_t got = read(fd, data, sizeof data);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(step::kHelperConfig, kName);
    if (got == 0) return text;
    text.append(data, static_cast<std::size_t>(got));
    if (text.size() > kMost) throw Failure(step::kHelperConfig, EFBIG, kName);
  }
}

/// A NUL would cut a text short on its way into a system call.
void refuseNul(const Json& value) {
  if (value.is_string() && value.get_ref<const std::string&>().find('\0') != std::string::npos)
    throw std::runtime_error("a text contains a NUL");
  if (value.is_structured())
    for (const Json& item : value) refuseNul(item);
}

void overlay(const Json& value, ExecDocument& document) {
  Spec::Process& process = document.spec.process;
  Launch& launch = document.launch;
  document.id = value.at("id").get<std::string>();
  process.args = value.at("args").get<std::vector<std::string>>();
  process.env = value.at("env").get<std::vector<std::string>>();
  process.terminal = value.at("tty").get<bool>();
  if (process.args.empty()) throw std::runtime_error("args is empty");
  if (value.contains("cwd")) process.cwd = value["cwd"].get<std::string>();
  if (value.contains("user")) launch.user = value["user"].get<std::string>();
  if (value.contains("capabilities")) {
    const auto names = value["capabilities"].get<std::vector<std::string>>();
    process.capabilities = Spec::Capabilities{names, names, names, {}, {}};
  }
  launch.openStdin = value.at("stdin").get<bool>();
  launch.stdinOnce = true;
  launch.createCwd = false;
  launch.consoleSize.reset();
  if (value.contains("consoleSize")) {
    const Json& size = value["consoleSize"];
    launch.consoleSize =
        Launch::Size{size.at("rows").get<unsigned short>(), size.at("cols").get<unsigned short>()};
  }
}

/// 64 hex.
std::string randomId() {
  unsigned char bytes[32];
  check(getrandom(bytes, sizeof bytes, 0), step::kHelperConfig, "getrandom");
  std::string id;
  for (const unsigned char byte : bytes)
    for (const int digit : {byte >> 4, byte & 15}) id += "0123456789abcdef"[digit];
  return id;
}

}  // namespace

std::string commandOf(const ExecDocument& document) {
  const auto& args = document.spec.process.args;
  std::string command = args[0] + " ";
  for (std::size_t i = 1; i < args.size(); ++i) command += (i > 1 ? " " : "") + args[i];
  return command;
}

ExecDocument probeDocument(const std::string& dir) {
  ExecDocument document;
  document.launch = readLaunch(dir + "/launch.json");
  document.spec = readSpec(dir + "/config.json");
  if (!document.launch.health)
    throw Failure(step::kHelperConfig, ENOENT, dir, "the container has no health check");
  document.id = randomId();
  document.spec.process.args = document.launch.health->argv;
  document.spec.process.terminal = false;
  document.launch.openStdin = false;
  document.launch.createCwd = false;
  document.launch.consoleSize.reset();
  return document;
}

ExecDocument readExecDocument(int fd, const std::string& dir) {
  ExecDocument document;
  document.launch = readLaunch(dir + "/launch.json");
  document.spec = readSpec(dir + "/config.json");
  const std::string text = readAll(fd);
  try {
    const Json value = Json::parse(text);
    refuseNul(value);
    overlay(value, document);
  } catch (const std::exception& error) {
    throw Failure(step::kHelperConfig, EINVAL, kName, error.what());
  }
  return document;
}

}  // namespace tsrun
