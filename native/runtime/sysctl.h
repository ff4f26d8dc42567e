#pragma once
#include <string>
#include <utility>
#include <vector>

#include "runtime/report.h"
#include "runtime/spec.h"

namespace tsrun {

/// Kernel settings of the container's own namespaces.
class Sysctls {
 public:
  /// Throws Failure for a setting that is not confined to a new namespace of `spec`: it would change the
  /// host.
  explicit Sysctls(const Spec& spec);
  /// Writes them through `proc`, the fd of a procfs of our own.
  void write(int proc, Report& report) const;

 private:
  struct Item {
    std::string key, path, value;
  };
  std::vector<Item> items_;
};

}  // namespace tsrun
