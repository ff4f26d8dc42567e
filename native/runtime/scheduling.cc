#include "runtime/scheduling.h"

#include <sys/personality.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

#include "base/failure.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

struct Name {
  const char* text;
  std::uint64_t value;
};
// The kernel's numbers: <linux/sched.h> cannot be included beside <sched.h>.
constexpr Name kPolicies[] = {{"SCHED_OTHER", 0}, {"SCHED_FIFO", 1}, {"SCHED_RR", 2},      {"SCHED_BATCH", 3},
                              {"SCHED_ISO", 4},   {"SCHED_IDLE", 5}, {"SCHED_DEADLINE", 6}};
constexpr std::uint64_t kOther = 0, kFifo = 1, kRoundRobin = 2, kBatch = 3, kDeadline = 6;
constexpr Name kFlags[] = {
    {"SCHED_FLAG_RESET_ON_FORK", 0x01},  {"SCHED_FLAG_RECLAIM", 0x02},
    {"SCHED_FLAG_DL_OVERRUN", 0x04},     {"SCHED_FLAG_KEEP_POLICY", 0x08},
    {"SCHED_FLAG_KEEP_PARAMS", 0x10},    {"SCHED_FLAG_UTIL_CLAMP_MIN", 0x20},
    {"SCHED_FLAG_UTIL_CLAMP_MAX", 0x40},
};
constexpr Name kIoClasses[] = {{"IOPRIO_CLASS_RT", 1}, {"IOPRIO_CLASS_BE", 2}, {"IOPRIO_CLASS_IDLE", 3}};
constexpr int kIoClassShift = 13, kIoProcess = 1;
constexpr Name kDomains[] = {{"LINUX", PER_LINUX}, {"LINUX32", PER_LINUX32}};

std::uint64_t valueOf(const auto& table, const std::string& text, const char* what) {
  for (const Name& name : table)
    if (text == name.text) return name.value;
  throw Failure(step::kScheduling, EINVAL, text, what);
}

[[noreturn]] void refuse(const std::string& subject, const char* why) {
  throw Failure(step::kScheduling, EINVAL, subject, why);
}

}  // namespace

CpuSet::CpuSet(const std::string& text) : text_(text) {
  constexpr unsigned kMost = 8192, kBits = 8 * sizeof(unsigned long);
  const char *at = text.data(), *const end = at + text.size();
  const auto number = [&] {
    unsigned value = 0;
    const auto [next, error] = std::from_chars(at, end, value);
    if (error != std::errc() || value >= kMost) refuse(text, "not a list of CPUs");
    at = next;
    return value;
  };
  while (at < end) {
    const unsigned first = number();
    const unsigned last = at < end && *at == '-' ? (++at, number()) : first;
    if (last < first || (at < end && *at++ != ',')) refuse(text, "not a list of CPUs");
    if (mask_.size() <= last / kBits) mask_.resize(last / kBits + 1);
    for (unsigned cpu = first; cpu <= last; cpu++) mask_[cpu / kBits] |= 1UL << cpu % kBits;
  }
}

void CpuSet::apply(Report& report) const {
  if (mask_.empty()) return;
  report.step(step::kScheduling);
  if (syscall(SYS_sched_setaffinity, 0, mask_.size() * sizeof(unsigned long), mask_.data()) < 0)
    report.die("execCPUAffinity", text_.c_str());
}

Scheduling::Scheduling(const Spec& spec) {
  if (const auto& asked = spec.process.scheduler) {
    Attributes& own = scheduler_.emplace();
    policy_ = asked->policy;
    own.policy = static_cast<std::uint32_t>(valueOf(kPolicies, asked->policy, "unknown scheduler policy"));
    for (const std::string& flag : asked->flags) own.flags |= valueOf(kFlags, flag, "unknown scheduler flag");
    // The kernel takes a value that its policy does not know for nothing: here it is a mistake.
    const bool realTime = own.policy == kFifo || own.policy == kRoundRobin;
    if (asked->nice != 0 && own.policy != kOther && own.policy != kBatch)
      refuse("nice", "only SCHED_OTHER and SCHED_BATCH have a nice value");
    if (asked->nice < -20 || asked->nice > 19) refuse("nice", "goes from -20 to 19");
    if (asked->priority != 0 && !realTime) refuse("priority", "only SCHED_FIFO and SCHED_RR have a priority");
    if ((asked->runtime | asked->deadline | asked->period) != 0 && own.policy != kDeadline)
      refuse(asked->policy, "only SCHED_DEADLINE has runtime, deadline and period");
    own.nice = asked->nice;
    own.priority = static_cast<std::uint32_t>(asked->priority);
    own.runtime = asked->runtime;
    own.deadline = asked->deadline;
    own.period = asked->period;
  }
  if (const auto& asked = spec.process.ioPriority) {
    const auto number = static_cast<int>(valueOf(kIoClasses, asked->ioClass, "unknown I/O priority class"));
    if (asked->priority < 0 || asked->priority > 7) refuse("ioPriority", "a priority goes from 0 to 7");
    ioPriority_ = number << kIoClassShift | asked->priority;
  }
  if (const auto& asked = spec.personality) {
    if (!asked->flags.empty()) refuse(asked->flags[0], "the spec knows no flags of a personality yet");
    personality_ = valueOf(kDomains, asked->domain, "unknown personality");
  }
}

void Scheduling::apply(Report& report) const {
  if (!scheduler_ && !ioPriority_ && !personality_) return;
  report.step(step::kScheduling);
  if (personality_ && syscall(SYS_personality, *personality_) < 0) report.die("personality");
  if (ioPriority_ && syscall(SYS_ioprio_set, kIoProcess, 0, *ioPriority_) < 0) report.die("ioPriority");
  if (scheduler_ && syscall(SYS_sched_setattr, 0, &*scheduler_, 0) < 0)
    report.die("scheduler", policy_.c_str());
}

}  // namespace tsrun
