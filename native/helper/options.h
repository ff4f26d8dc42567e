#pragma once
#include <cerrno>
#include <string>

#include "base/failure.h"

namespace tsrun {

constexpr char kUsage[] = "usage";

/// `--name value` pairs of a verb.
class Options {
 public:
  Options(int argc, char** argv) : argc_(argc), argv_(argv) {}

  /// Calls `take(name, value)` for each; it returns false for a name it does not know.
  template <typename Take>
  void each(Take take) {
    for (int i = 0; i < argc_; i += 2) {
      if (i + 1 >= argc_ || !take(std::string(argv_[i]), std::string(argv_[i + 1]))) {
        throw Failure(kUsage, EINVAL, argv_[i]);
      }
    }
  }

 private:
  int argc_;
  char** argv_;
};

inline void need(const std::string& value, const char* name) {
  if (value.empty()) throw Failure(kUsage, EINVAL, name);
}

}  // namespace tsrun
