#pragma once
#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>

#include "base/failure.h"
#include "base/unique_fd.h"
#include "helper/attach.h"
#include "helper/event_loop.h"
#include "helper/stdio.h"
#include "runtime/exec_document.h"
#include "runtime/join.h"
#include "runtime/report.h"

namespace tsrun {

/// Owns one `exec`: enters the container, serves the client of the process, tells its exit code. The
/// container's death ends the process, and so this; the death of this ends the process. As a probe it has no
/// client: the beginning of the output and the exit code are its last record, and SIGTERM ends it.
class Session : public Requests {
 public:
  enum class Kind { kExec, kProbe };
  Session(std::string dir, ExecDocument document, UniqueFd report, UniqueFd attach, Kind kind);
  int run();

 private:
  void start();
  void cloneJoiner(Joiner& joiner);
  void admit();
  void follow();
  void capture(const char* data, std::size_t length);
  void killGroup();
  void farewell();
  void linger();

  std::unique_ptr<Watch> watch(int fd, void (Session::*handler)());
  void readSignals();
  void readChildReport();
  void readSync();
  void answerListener();
  void reap();
  void startFailed(const Failure& failure, bool told);
  bool ended();
  int drainTime() const;

  void input(const char* data, std::size_t length) override { stdio_->input(data, length); }
  void inputEnded() override { stdio_->inputEnded(); }
  bool inputCongested() const override { return stdio_->inputCongested(); }
  void resize(unsigned rows, unsigned cols) override { stdio_->resize(rows, cols); }
  int signal(int number) override;
  int stop(int, bool) override;
  int probe(std::uint64_t&) override;
  int freeze() override;
  int thaw() override;
  int hold() override;
  int unhold() override;

  const std::string dir_;
  UniqueFd reportFd_, attachFd_;
  Report report_;
  const bool probe_;

  ExecDocument exec_;
  std::optional<RunningContainer> container_;
  std::optional<Stdio> stdio_;
  pid_t joiner_ = 0, pid_ = 0;
  UniqueFd joinerFd_, pidfd_, childReport_, sync_;

  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<Attach> attach_;
  UniqueFd signals_;
  std::unique_ptr<Watch> signalsWatch_, childReportWatch_, syncWatch_;

  std::string reportLine_;
  std::string childStep_;
  std::string captured_;
  bool started_ = false, cut_ = false;
  std::optional<Failure> failure_;
  std::optional<int> status_;
  bool idle_ = false;                       ///< nothing was ready in the last round
  long long quietUntil_ = 0, endedAt_ = 0;  ///< CLOCK_MONOTONIC, milliseconds
};

}  // namespace tsrun
