#include "runtime/records.h"

#include <nlohmann/json.hpp>

#include "runtime/file.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

using Json = nlohmann::ordered_json;

std::string textOf(const Json& value) {
  // Subjects are names of files, so they may be any bytes.
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json failureOf(const Failure& failure) {
  Json value{{"step", failure.step}, {"errno", failure.error}, {"subject", failure.subject}};
  if (!failure.detail.empty()) value["detail"] = failure.detail;
  return value;
}

/// Nothing if the file is missing or, after a crash, broken.
std::optional<Json> recordOf(const std::string& dir, const std::string& name) {
  std::string text;
  try {
    text = readFile(dir + "/" + name, step::kRecord);
  } catch (const Failure& failure) {
    if (failure.error == ENOENT) return std::nullopt;
    throw;
  }
  Json value = Json::parse(text, nullptr, false);
  if (!value.is_object()) return std::nullopt;
  return value;
}

}  // namespace

void writeState(const std::string& dir, const StateRecord& state) {
  Json value{{"phase", state.phase}, {"pid", state.pid}, {"startedAt", state.startedAt}};
  if (state.restartCount != 0) value["restartCount"] = state.restartCount;
  if (const Lease* lease = state.network) {
    value["network"] = {{"ip", lease->ip},
                        {"prefixLen", lease->prefixLen},
                        {"gateway", lease->gateway},
                        {"mac", lease->mac},
                        {"bridge", lease->bridge}};
  }
  // Never synced: after a power cut the lock is free, and then nobody believes it.
  replaceFile(dir, "state", textOf(value) + "\n", false, step::kRecord);
}

void writeExit(const std::string& dir, const ExitRecord& exit, bool durable) {
  Json value{{"exitCode", exit.exitCode}, {"oomKilled", exit.oomKilled}};
  if (!exit.startedAt.empty()) value["startedAt"] = exit.startedAt;
  value["finishedAt"] = exit.finishedAt;
  if (exit.restartCount != 0) value["restartCount"] = exit.restartCount;
  if (exit.error) value["error"] = failureOf(*exit.error);
  replaceFile(dir, "exit", textOf(value) + "\n", durable, step::kRecord);
}

std::optional<std::string> startedAtOf(const std::string& dir, const std::string& name) {
  const auto value = recordOf(dir, name);
  if (!value) return std::nullopt;
  const auto found = value->find("startedAt");
  return found != value->end() && found->is_string() ? found->get<std::string>() : std::string();
}

int pidOfState(const std::string& dir) {
  const auto value = recordOf(dir, "state");
  const auto found = value ? value->find("pid") : Json::const_iterator();
  return value && found != value->end() && found->is_number_integer() ? found->get<int>() : 0;
}

ReportLine parseReportLine(const std::string& line) {
  ReportLine result;
  const Json value = Json::parse(line, nullptr, false);
  if (!value.is_object()) return result;
  const auto fail = value.find("fail");
  if (fail != value.end() && fail->is_object()) {
    result.failure = Failure(fail->value("step", ""), fail->value("errno", 0), fail->value("subject", ""),
                             fail->value("detail", ""));
  } else if (value.contains("exit")) {
    result.exitCode = value.value("exit", -1);
    result.output = value.value("output", "");
  } else {
    result.step = value.value("step", "");
  }
  return result;
}

std::string probeLine(int exitCode, const std::string& output) {
  return textOf(Json{{"exit", exitCode}, {"output", output}}) + "\n";
}

std::string failureLine(const Failure& failure) {
  return textOf(Json{{"fail", failureOf(failure)}}) + "\n";
}

}  // namespace tsrun
