#pragma once
#include <string>

#include "runtime/mount_options.h"
#include "runtime/report.h"
#include "runtime/spec.h"

namespace tsrun {

/// The security modules of the kernel that name what a process or a mount may do: AppArmor and SELinux. What
/// is asked for where the kernel does not run them is an error.

/// Adds the SELinux context of `label` to the options of a mount of `type`. Throws Failure(step::kMount)
/// where the kernel does not run SELinux; nothing without a label.
void addLabel(const std::string& label, const std::string& type, MountOptions& options);

/// The profile and the label that take effect with execve.
class Confinement {
 public:
  /// Throws Failure(step::kConfine) for what this kernel does not run. The profile "unconfined" is what a
  /// kernel without AppArmor gives.
  explicit Confinement(const Spec::Process& process);

  /// `proc` is a procfs of our own.
  void apply(int proc, Report& report) const;

 private:
  std::string profile_, onExec_, label_;
};

}  // namespace tsrun
