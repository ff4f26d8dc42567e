#pragma once
#include <vector>

#include "runtime/report.h"
#include "runtime/spec.h"

namespace tsrun {

/// The device nodes and links of a container's /dev.
class Devices {
 public:
  /// The spec's devices and those of the OCI default set that it does not name.
  explicit Devices(const Spec& spec);

  /// Makes the nodes and the links fd, stdin, stdout, stderr, ptmx below `root`. Needs umask 0.
  void make(int root, Report& report) const;

 private:
  std::vector<Spec::Device> devices_;
};

}  // namespace tsrun
