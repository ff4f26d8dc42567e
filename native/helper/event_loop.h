#pragma once
#include <cstdint>
#include <functional>

#include "base/unique_fd.h"

namespace tsrun {

/// One thread waiting on many fds (epoll, level-triggered).
class EventLoop {
 public:
  EventLoop();
  /// Waits up to `timeout` milliseconds (-1: for ever) and runs the handlers of what is ready.
  /// True if anything was ready.
  bool wait(int timeout);

 private:
  friend class Watch;
  UniqueFd epoll_;
};

/// Interest in one fd. The fd belongs to somebody else, who keeps it open for as long as the watch has a
/// mask. A handler may change any watch, but none is destroyed while the loop runs handlers.
class Watch {
 public:
  using Handler = std::function<void(std::uint32_t events)>;
  Watch(EventLoop& loop, int fd, Handler handler) : loop_(loop), fd_(fd), handler_(std::move(handler)) {}
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch() { set(0); }

  /// EPOLLIN, EPOLLOUT, or both. With 0 the fd is not watched at all: otherwise a hang-up would wake the loop
  /// for ever.
  void set(std::uint32_t mask);

 private:
  friend class EventLoop;
  EventLoop& loop_;
  int fd_;
  Handler handler_;
  std::uint32_t mask_ = 0;
};

}  // namespace tsrun
