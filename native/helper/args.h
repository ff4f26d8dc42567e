#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tsrun {

/// The `--name value` pairs of a verb. Throws Failure(step::kUsage) for anything else.
class Args {
 public:
  Args(int argc, char** argv);
  std::string required(const std::string& name) const;
  std::optional<std::string> optional(const std::string& name) const;
  /// A number of an open fd; -1 if the option is not there.
  int fd(const std::string& name) const;

 private:
  std::vector<std::pair<std::string, std::string>> options_;
};

}  // namespace tsrun
