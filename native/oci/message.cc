#include "oci/message.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <cctype>
#include <nlohmann/json.hpp>
#include <optional>

#include "runtime/clock.h"
#include "runtime/file.h"
#include "runtime/steps.h"

namespace tsrun::oci {
namespace {

using Json = nlohmann::ordered_json;

std::optional<Log> current;

/// No capital, as Go programs write them, whose words callers compare with.
std::string wordsOf(int error) {
  const char* text = error != 0 ? strerrordesc_np(error) : nullptr;
  std::string words = text != nullptr ? text : "";
  if (words.size() > 1 && std::islower(static_cast<unsigned char>(words[1])) != 0)
    words[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(words[0])));
  return words;
}

std::string quoted(const std::string& text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string messageOf(const Failure& failure) {
  const bool ofProgram = failure.step == step::kExec;
  std::string text = failure.step;
  if (!failure.subject.empty()) text += ": " + (ofProgram ? quoted(failure.subject) : failure.subject);
  if (!failure.detail.empty()) text += ": " + failure.detail;
  // Of a program that was not found the detail says it all.
  const bool enough = ofProgram && failure.error == ENOENT && !failure.detail.empty();
  const std::string words = wordsOf(failure.error);
  if (!words.empty() && !enough) text += ": " + words;
  return text;
}

Log::Log(std::string program, const std::string& file, Format format, bool debug)
    : program_(std::move(program)), format_(format), debug_(debug) {
  if (file.empty()) return;
  fd_ = open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd_ < 0) throw Failure(step::kUsage, errno, "--log " + file);
}

void Log::write(const char* level, const std::string& message, bool alsoStderr) const {
  std::string line;
  if (format_ == Format::json) {
    line = Json{{"level", level}, {"msg", message}, {"time", rfc3339Now()}}.dump(
        -1, ' ', false, Json::error_handler_t::replace);
  } else {
    line = "time=\"" + rfc3339Now() + "\" level=" + level + " msg=" + quoted(message);
  }
  line += "\n";
  if (fd_ >= 0) writeAll(fd_, line.data(), line.size());
  if (!alsoStderr) return;
  const std::string plain = program_ + ": " + message + "\n";
  const bool raw = fd_ < 0 && format_ == Format::json;
  writeAll(STDERR_FILENO, raw ? line.data() : plain.data(), raw ? line.size() : plain.size());
}

void Log::error(const std::string& message) const {
  write("error", message, true);
}

void Log::warning(const std::string& message) const {
  write("warning", message, true);
}

void Log::debug(const std::string& message) const {
  if (!debug_) return;
  if (fd_ >= 0) return write("debug", message, false);
  const std::string line = "time=\"" + rfc3339Now() + "\" level=debug msg=" + quoted(message) + "\n";
  writeAll(STDERR_FILENO, line.data(), line.size());
}

const Log& log() {
  return *current;
}

void setLog(Log log) {
  current.emplace(std::move(log));
}

}  // namespace tsrun::oci
