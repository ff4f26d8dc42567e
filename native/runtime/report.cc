#include "runtime/report.h"

#include <limits.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "runtime/json_text.h"

namespace tsrun {
namespace {

std::int64_t microseconds() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1000000 + now.tv_nsec / 1000;
}

/// Taken when the program is loaded; the child that is cloned later counts from the same moment.
const std::int64_t startOfHelper = microseconds();

void send(int fd, const char* text, std::size_t length) {
  // One write per record: it is shorter than PIPE_BUF, so the kernel never mixes two. Nobody may be reading
  // any more (SIGPIPE is blocked by the monitor): a start goes on without its audience.
  while (write(fd, text, length) < 0 && errno == EINTR) continue;
}

}  // namespace

void Report::step(const char* name) {
  current_ = name;
  if (fd_ < 0) return;
  char buffer[256];
  JsonText text(buffer, sizeof buffer);
  text.raw("{\"step\":");
  text.string(name, 40);
  text.raw(",\"t\":");
  text.number(microseconds() - startOfHelper);
  text.raw("}\n");
  send(fd_, buffer, text.size());
}

void Report::pid(int hostPid) {
  if (fd_ < 0) return;
  char buffer[64];
  JsonText text(buffer, sizeof buffer);
  text.raw("{\"pid\":");
  text.number(hostPid);
  text.raw("}\n");
  send(fd_, buffer, text.size());
}

void Report::failed(const char* step, int error, const char* subject, const char* detail) {
  if (sink_ != nullptr) sink_->emplace(step, error, subject, detail);
  if (fd_ < 0) return;
  char buffer[PIPE_BUF];
  JsonText text(buffer, sizeof buffer);
  text.raw("{\"fail\":{\"step\":");
  text.string(step, sizeof buffer - 200);
  text.raw(",\"errno\":");
  text.number(error);
  // A long subject is cut so that there is room for the detail: the end of the record must never be missing.
  text.raw(",\"subject\":");
  text.string(subject, 1400);
  if (detail[0] != '\0') {
    text.raw(",\"detail\":");
    text.string(detail, 8);
  }
  text.raw("}}\n");
  send(fd_, buffer, text.size());
}

void Report::failed(const Failure& failure) {
  failed(failure.step.c_str(), failure.error, failure.subject.c_str(), failure.detail.c_str());
}

void Report::die(const char* subject, const char* detail) {
  die(errno, subject, detail);
}

void Report::die(int error, const char* subject, const char* detail) {
  failed(current_, error, subject, detail);
  _exit(1);
}

void Report::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

}  // namespace tsrun
