#include "helper/restart.h"

#include <algorithm>

namespace tsrun {
namespace {

constexpr int kFirstMs = 100;
constexpr int kLongestMs = 60000;
constexpr long long kLongRunMs = 10000;

}  // namespace

std::optional<int> RestartBackoff::next(const Launch::Restart& policy, int exitCode, long long ranMs) {
  switch (policy.policy) {
    case Launch::RestartPolicy::kNo:
      return std::nullopt;
    case Launch::RestartPolicy::kOnFailure:
      if (exitCode == 0 || (policy.maxRetries != 0 && count_ >= policy.maxRetries)) return std::nullopt;
      break;
    case Launch::RestartPolicy::kAlways:
    case Launch::RestartPolicy::kUnlessStopped:
      break;
  }
  if (ranMs >= kLongRunMs) delay_ = 0;
  delay_ = delay_ == 0 ? kFirstMs : std::min(delay_ * 2, kLongestMs);
  ++count_;
  return delay_;
}

}  // namespace tsrun
