#include "helper/timer.h"

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cstdint>

#include "base/failure.h"
#include "runtime/steps.h"

namespace tsrun {

Timer::Timer(EventLoop& loop, std::function<void()> handler)
    : handler_(std::move(handler)),
      fd_(check(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), step::kLoop, "timerfd")),
      watch_(loop, fd_.get(), [this](std::uint32_t) { ready(); }) {
  watch_.set(EPOLLIN);
}

void Timer::set(long long milliseconds) {
  itimerspec value{};
  value.it_value.tv_sec = milliseconds / 1000;
  value.it_value.tv_nsec = milliseconds % 1000 * 1000000;
  // Zero would disarm it.
  if (milliseconds <= 0) value.it_value.tv_nsec = 1;
  timerfd_settime(fd_.get(), 0, &value, nullptr);
}

void Timer::stop() {
  const itimerspec never{};
  timerfd_settime(fd_.get(), 0, &never, nullptr);
}

/// Another handler of the same round may have set it anew: then there is nothing to read.
void Timer::ready() {
  std::uint64_t expirations;
  if (read(fd_.get(), &expirations, sizeof expirations) == sizeof expirations) handler_();
}

}  // namespace tsrun
