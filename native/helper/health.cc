#include "helper/health.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/failure.h"
#include "runtime/clock.h"
#include "runtime/file.h"
#include "runtime/records.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

/// How long a probe that was told to end may take to say what it printed.
constexpr long long kLastWordsMs = 1000;
/// How often one that is still ending is looked at, when another is due.
constexpr long long kFormerMs = 50;
/// A probe's whole report is far shorter.
constexpr std::size_t kMostReport = 256 << 10;

/// A duration as Go prints it, and so Docker: "30s", "1m30s", "1.5s", "500ms".
std::string durationText(std::uint64_t ms) {
  if (ms < 1000) return std::to_string(ms) + "ms";
  const std::uint64_t minutes = ms / 60000;
  std::string text;
  if (minutes >= 60) text += std::to_string(minutes / 60) + "h";
  if (minutes > 0) text += std::to_string(minutes % 60) + "m";
  text += std::to_string(ms / 1000 % 60);
  std::string fraction = std::to_string(1000 + ms % 1000).substr(1);
  while (!fraction.empty() && fraction.back() == '0') fraction.pop_back();
  return text + (fraction.empty() ? "" : "." + fraction) + "s";
}

std::string reasonOf(const Failure& failure) {
  const std::string cause = !failure.detail.empty() ? failure.detail
                            : failure.error != 0    ? std::strerror(failure.error)
                                                    : "failed";
  const std::string what = failure.step == step::kExec ? "exec: \"" + failure.subject + "\""
                                                       : failure.step + ": " + failure.subject;
  return "OCI runtime exec failed: exec failed: unable to start container process: " + what + ": " + cause;
}

}  // namespace

Health::Health(EventLoop& loop, std::string dir, const Launch::Health& check, long long startedAt,
               Events events)
    : dir_(std::move(dir)),
      check_(check),
      startedAt_(startedAt),
      events_(std::move(events)),
      loop_(loop),
      timer_(loop, [this] { timeIsUp(); }) {
  write();
  timer_.set(interval());
}

bool Health::isInStartPeriod(long long time) const {
  return time - startedAt_ < static_cast<long long>(check_.startPeriodMs);
}

/// The shorter one until the first success in the start period.
long long Health::interval() const {
  const bool starting = status_ == "starting" && isInStartPeriod(monotonicMs());
  return static_cast<long long>(starting ? check_.startIntervalMs : check_.intervalMs);
}

void Health::suspend() {
  suspended_ = true;
  timer_.stop();
  if (!probe_) return;
  giveUp();
  dropProbe();
  // Who waits for it gets the next one.
  requested_ = true;
}

void Health::giveUp() {
  probe_->cancel();
  unended_ = std::move(probe_->pidfd);
  unendedSince_ = monotonicMs();
}

void Health::resume() {
  suspended_ = false;
  unendedSince_ = monotonicMs();
  timer_.set(requested_ ? 0 : interval());
}

std::uint64_t Health::request() {
  requested_ = true;
  if (!probe_ && !suspended_) timer_.set(0);
  return number_ + 1;
}

void Health::timeIsUp() {
  if (suspended_) return;
  if (probe_) return overdue();
  begin();
}

/// True while a former probe, told to end, has not had the time for it.
bool Health::awaitsFormer() {
  if (unended_ && hasEnded(unended_)) unended_.reset();
  return unended_ && monotonicMs() < unendedSince_ + kLastWordsMs;
}

void Health::begin() {
  if (awaitsFormer()) return timer_.set(kFormerMs);
  ++number_;
  requested_ = overdue_ = false;
  report_.clear();
  beganAt_ = rfc3339Now();
  began_ = monotonicMs();
  // One that hangs in the kernel cannot be killed, and others beside it would hang as well.
  if (unended_) return finish(-1, "the health check before this one does not end");
  try {
    probe_ = events_.start();
    watch_ = std::make_unique<Watch>(loop_, probe_->report.get(), [this](std::uint32_t) { readReport(); });
    watch_->set(EPOLLIN);
  } catch (const Failure& failure) {
    if (probe_) probe_->cancel();
    return finish(-1, reasonOf(failure));
  }
  timer_.set(static_cast<long long>(check_.timeoutMs));
}

/// The first time it is told to end, and may still say what it has printed; then it is given up.
void Health::overdue() {
  if (!overdue_) {
    overdue_ = true;
    probe_->cancel();
    return timer_.set(kLastWordsMs);
  }
  giveUp();
  finish(-1, "");
}

void Health::readReport() {
  char data[4096];
  const ssize_t got = read(probe_->report.get(), data, sizeof data);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0 || report_.size() > kMostReport) return finish(-1, "the health check was killed");
  report_.append(data, static_cast<std::size_t>(got));
  for (std::size_t end; (end = report_.find('\n')) != std::string::npos;) {
    const ReportLine line = parseReportLine(report_.substr(0, end));
    if (line.failure) return finish(-1, reasonOf(*line.failure));
    if (line.exitCode) return finish(*line.exitCode, line.output);
    report_.erase(0, end + 1);
  }
}

/// What an overdue probe ended with is our doing: only its output counts.
void Health::finish(int exitCode, const std::string& output) {
  Result result;
  result.start = beganAt_;
  result.end = rfc3339Now();
  result.exitCode = overdue_ ? -1 : exitCode;
  result.output = output;
  if (overdue_) {
    result.output = "Health check exceeded timeout (" + durationText(check_.timeoutMs) + ")";
    if (!output.empty()) result.output += ": " + output;
  }
  const bool success = result.exitCode == 0;
  // The end of the container is no result.
  if (!success && events_.isEnding()) return suspend();
  results_.push_back(std::move(result));
  if (results_.size() > kResults) results_.pop_front();
  dropProbe();
  settle(success);
  events_.done(number_, success);
  timer_.set(requested_ ? 0 : interval());
}

void Health::settle(bool success) {
  const std::string before = status_;
  if (success) {
    failingStreak_ = 0;
    status_ = "healthy";
  } else if (status_ != "starting" || !isInStartPeriod(began_)) {
    if (++failingStreak_ >= check_.retries) status_ = "unhealthy";
  }
  write();
  if (status_ != before) events_.changed(status_);
}

void Health::dropProbe() {
  if (watch_) {
    watch_->set(0);
    lastWatch_ = std::move(watch_);
  }
  probe_.reset();
  std::string().swap(report_);
}

/// A full disk loses results, never the container.
void Health::write() const {
  using Json = nlohmann::ordered_json;
  Json log = Json::array();
  for (const Result& result : results_) {
    log.push_back({{"start", result.start},
                   {"end", result.end},
                   {"exitCode", result.exitCode},
                   {"output", result.output}});
  }
  const Json value{{"status", status_}, {"failingStreak", failingStreak_}, {"log", std::move(log)}};
  try {
    replaceFile(dir_, "health", value.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n", false,
                step::kRecord);
  } catch (const Failure&) {
  }
}

}  // namespace tsrun
