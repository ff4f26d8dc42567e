#include "helper/event_loop.h"

#include <sys/epoll.h>

#include <cerrno>

#include "base/failure.h"
#include "runtime/steps.h"

namespace tsrun {

EventLoop::EventLoop() : epoll_(check(epoll_create1(EPOLL_CLOEXEC), step::kLoop, "epoll")) {}

bool EventLoop::wait(int timeout) {
  epoll_event events[16];
  const int count = epoll_wait(epoll_.get(), events, 16, timeout);
  if (count < 0 && errno != EINTR) fail(step::kLoop, "epoll_wait");
  for (int i = 0; i < count; ++i) {
    Watch* watch = static_cast<Watch*>(events[i].data.ptr);
    // A handler that ran before it in this round may have ended its interest.
    if (watch->mask_ != 0) watch->handler_(events[i].events);
  }
  return count != 0;
}

void Watch::set(std::uint32_t mask) {
  if (mask == mask_) return;
  epoll_event event{};
  event.events = mask;
  event.data.ptr = this;
  const int operation = mask_ == 0 ? EPOLL_CTL_ADD : mask == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;
  if (epoll_ctl(loop_.epoll_.get(), operation, fd_, &event) != 0 && mask != 0) fail(step::kLoop, "epoll_ctl");
  mask_ = mask;
}

}  // namespace tsrun
