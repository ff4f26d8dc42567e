#include "helper/args.h"

#include <fcntl.h>

#include <cstdlib>
#include <cstring>

#include "base/failure.h"
#include "runtime/steps.h"

namespace tsrun {

Args::Args(int argc, char** argv) {
  for (int i = 0; i < argc; i += 2) {
    if (std::strncmp(argv[i], "--", 2) != 0)
      throw Failure(step::kUsage, EINVAL, argv[i], "an option was expected");
    if (i + 1 == argc) throw Failure(step::kUsage, EINVAL, argv[i], "its value is missing");
    options_.emplace_back(argv[i] + 2, argv[i + 1]);
  }
}

std::optional<std::string> Args::optional(const std::string& name) const {
  for (const auto& [key, value] : options_) {
    if (key == name) return value;
  }
  return std::nullopt;
}

std::string Args::required(const std::string& name) const {
  const auto value = optional(name);
  if (!value) throw Failure(step::kUsage, EINVAL, "--" + name, "is missing");
  return *value;
}

int Args::fd(const std::string& name) const {
  const auto text = optional(name);
  if (!text) return -1;
  char* end = nullptr;
  const long number = std::strtol(text->c_str(), &end, 10);
  if (end == text->c_str() || *end != '\0' || number < 0 || number > 65535 ||
      fcntl(static_cast<int>(number), F_GETFD) < 0) {
    throw Failure(step::kUsage, EBADF, "--" + name + " " + *text);
  }
  return static_cast<int>(number);
}

}  // namespace tsrun
