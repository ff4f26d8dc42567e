#pragma once
#include <cstddef>
#include <optional>

#include "base/failure.h"

namespace tsrun {

/// Writes ReportRecords (src/native/protocol.ts) to the close-on-exec report fd: one line of JSON per
/// write(2), each shorter than PIPE_BUF so that records of monitor and child never mix. Allocates nothing:
/// usable between clone and exec. A negative fd makes every call a no-op.
class Report {
 public:
  explicit Report(int fd) : fd_(fd) {}
  /// Keeps a failure there, and tells nobody of steps: for a process that shares its maker's memory.
  explicit Report(std::optional<Failure>& sink) : fd_(-1), sink_(&sink) {}

  /// The step that begins now; `name` must be a constant of steps.h.
  void step(const char* name);
  void pid(int hostPid);
  /// The failure of `step`, then nothing more may follow.
  void failed(const char* step, int error, const char* subject, const char* detail = "");
  void failed(const Failure& failure);

  /// For the child: reports the failure of the current step with errno (or `error`) and ends with _exit(1).
  [[noreturn]] void die(const char* subject, const char* detail = "");
  [[noreturn]] void die(int error, const char* subject, const char* detail = "");

  const char* current() const { return current_; }
  int fd() const { return fd_; }
  void close();

 private:
  int fd_;
  std::optional<Failure>* sink_ = nullptr;
  const char* current_ = "";
};

}  // namespace tsrun
