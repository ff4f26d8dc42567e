#pragma once
#include <functional>

#include "base/unique_fd.h"
#include "helper/event_loop.h"

namespace tsrun {

/// One timer on an event loop (a timerfd). CLOCK_MONOTONIC: the time that a machine sleeps does not count.
class Timer {
 public:
  /// `handler` is called once for each `set`. Throws Failure(step::kLoop).
  Timer(EventLoop& loop, std::function<void()> handler);

  /// In place of whatever was set before: in `milliseconds` from now, in the next round of the loop at the
  /// earliest.
  void set(long long milliseconds);
  void stop();

 private:
  void ready();

  std::function<void()> handler_;
  UniqueFd fd_;
  Watch watch_;
};

}  // namespace tsrun
