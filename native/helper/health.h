#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "helper/event_loop.h"
#include "helper/probe.h"
#include "helper/timer.h"
#include "runtime/launch.h"

namespace tsrun {

/// The health check of one run: probes one after the other, keeps the last results, and writes `health` in
/// the container's directory after each (HealthRecord in src/native/launch.ts).
class Health {
 public:
  struct Events {
    /// Starts a probe; may throw Failure.
    std::function<Probe()> start;
    /// True while the first process is ending: then the kernel kills all others before it tells anybody.
    std::function<bool()> isEnding;
    /// The status is another one now.
    std::function<void(const std::string& status)> changed;
    /// Probe number `number` was a success, or not.
    std::function<void(std::uint64_t number, bool success)> done;
  };

  /// Begins with the status "starting". `startedAt` is that of the run (CLOCK_MONOTONIC, milliseconds).
  Health(EventLoop& loop, std::string dir, const Launch::Health& check, long long startedAt, Events events);

  /// The container stands still, or is gone: a probe under way is given up, and no other begins.
  void suspend();
  /// It goes on, and the interval begins anew.
  void resume();
  /// One probe as soon as possible, for somebody who asks for it: the number of the first that begins after
  /// now.
  std::uint64_t request();

 private:
  static constexpr std::size_t kResults = 5;
  struct Result {
    std::string start, end, output;
    int exitCode = 0;
  };

  void timeIsUp();
  void begin();
  void overdue();
  void readReport();
  void finish(int exitCode, const std::string& output);
  void settle(bool success);
  void giveUp();
  void dropProbe();
  bool awaitsFormer();
  void write() const;
  long long interval() const;
  bool isInStartPeriod(long long time) const;

  const std::string dir_;
  const Launch::Health check_;
  const long long startedAt_;
  const Events events_;
  EventLoop& loop_;
  Timer timer_;

  std::optional<Probe> probe_;
  std::unique_ptr<Watch> watch_;
  std::unique_ptr<Watch> lastWatch_;  ///< of the probe before: a watch outlives the round that ended it
  UniqueFd unended_;                  ///< the pidfd of a probe that was given up, and may still be there
  long long unendedSince_ = 0;
  std::string report_;
  std::string beganAt_;
  long long began_ = 0;
  bool overdue_ = false, suspended_ = false, requested_ = false;
  std::uint64_t number_ = 0;  ///< of the last one that began

  std::deque<Result> results_;
  std::string status_ = "starting";
  unsigned failingStreak_ = 0;
};

}  // namespace tsrun
