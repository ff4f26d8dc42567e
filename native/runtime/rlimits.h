#pragma once
#include <vector>

#include "runtime/report.h"
#include "runtime/spec.h"

namespace tsrun {

class Rlimits {
 public:
  /// Throws Failure(step::kRlimit) for an unknown name.
  explicit Rlimits(const std::vector<Spec::Rlimit>& limits);
  void apply(Report& report) const;

 private:
  struct Item {
    const char* name;
    int resource;
    unsigned long long soft, hard;
  };
  std::vector<Item> items_;
};

}  // namespace tsrun
