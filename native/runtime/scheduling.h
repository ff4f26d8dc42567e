#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/report.h"
#include "runtime/spec.h"

namespace tsrun {

/// A set of CPUs as the kernel takes it, of text like "0-3,7".
class CpuSet {
 public:
  CpuSet() = default;  ///< nothing is asked for
  /// Throws Failure(step::kScheduling).
  explicit CpuSet(const std::string& text);
  void apply(Report& report) const;

 private:
  std::string text_;
  std::vector<unsigned long> mask_;
};

/// How a process runs: scheduler, I/O priority, execution domain.
class Scheduling {
 public:
  /// Throws Failure(step::kScheduling) for names and combinations that do not exist.
  explicit Scheduling(const Spec& spec);

  /// Before the change of user: a better place than others' needs CAP_SYS_NICE.
  void apply(Report& report) const;

 private:
  /// The kernel's sched_attr in its first size.
  struct Attributes {
    std::uint32_t size = 48, policy = 0;
    std::uint64_t flags = 0;
    std::int32_t nice = 0;
    std::uint32_t priority = 0;
    std::uint64_t runtime = 0, deadline = 0, period = 0;
  };
  std::optional<Attributes> scheduler_;
  std::optional<int> ioPriority_;
  std::optional<unsigned long> personality_;
  std::string policy_;
};

}  // namespace tsrun
