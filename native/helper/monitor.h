#pragma once
#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>

#include "base/failure.h"
#include "base/unique_fd.h"
#include "helper/attach.h"
#include "helper/event_loop.h"
#include "helper/health.h"
#include "helper/json_log.h"
#include "helper/restart.h"
#include "helper/stdio.h"
#include "runtime/cgroup.h"
#include "runtime/child.h"
#include "runtime/launch.h"
#include "runtime/ledger.h"
#include "runtime/network.h"
#include "runtime/report.h"
#include "runtime/seccomp_listener.h"
#include "runtime/spec.h"

namespace tsrun {

/// Owns one container until it stands still: makes it (start), serves it (follow) and gives everything back
/// (conclude), again for each restart; then lets go of it (letGo, farewell).
class Monitor : public Requests {
 public:
  /// `report` and `attach` are fds of the starter's, or -1. `init` is the path of tsrun-init, or empty.
  Monitor(std::string dir, UniqueFd report, UniqueFd attach, std::string init);
  int run();

 private:
  // start: monitor_start.cc
  void takeLock();
  void forgetRun();
  void start();
  void readDocuments();
  void reuseUpper();
  void openSocket();
  void cloneChild();
  void admitChild();

  // follow: monitor.cc
  void serve();
  void follow();
  std::unique_ptr<Watch> watch(int fd, void (Monitor::*handler)());
  void readSignals();
  void readChildReport();
  void readSync();
  void answerListener();
  void reap();
  void killRest();
  void childReportEnded();
  void started();
  void endStart();
  void watchHealth();
  bool isEnding() const;
  void startFailed(const Failure& failure, bool told);
  void round(int timeout);
  bool ended() const;
  int drainTime() const;

  // the end: monitor_end.cc
  void killChild();
  bool wasOomKilled() const;
  bool conclude();
  std::optional<int> restartDelay();
  bool awaitRestart(int delay);
  void recordEnd();
  void release(bool restarts);
  void closeSocket();
  void letGo();
  void keep();
  void removeSelf();
  void farewell();

  // Requests of clients
  void input(const char* data, std::size_t length) override {
    if (stdio_) stdio_->input(data, length);
  }
  void inputEnded() override {
    if (stdio_) stdio_->inputEnded();
  }
  bool inputCongested() const override { return stdio_ && stdio_->inputCongested(); }
  void resize(unsigned rows, unsigned cols) override {
    if (stdio_) stdio_->resize(rows, cols);
  }
  int signal(int number) override;
  int stop(int number, bool keep) override;
  int probe(std::uint64_t& ticket) override;
  int markStopped();
  int sendByUser(int number);
  int deliver(int number);
  int freeze() override;
  int thaw() override;
  int hold() override;
  int unhold() override;
  int applyFreeze();
  void writePhase();

  const std::string dir_, init_;
  Report report_;
  UniqueFd reportFd_, attachFd_;
  UniqueFd lock_;

  bool launchKnown_ = false;
  Launch launch_;
  Spec spec_;
  std::unique_ptr<PreparedChild> prepared_;
  std::optional<SeccompListener> listenerOf_;  ///< who is told of system calls
  std::optional<Ledger> ledger_;
  std::optional<Cgroup> cgroup_;
  std::optional<Lease> lease_;
  std::optional<JsonLog> log_;
  std::optional<Stdio> stdio_;
  UniqueFd listener_;

  pid_t pid_ = 0;
  bool ownPids_ = true;
  UniqueFd pidfd_, childReport_, childReportEnd_, sync_, childSync_;

  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<Attach> attach_;
  UniqueFd signals_;
  std::unique_ptr<Watch> signalsWatch_, childReportWatch_, syncWatch_;

  std::optional<Health> health_;
  RestartBackoff backoff_;
  bool ends_ = false;     ///< no restart follows
  bool stopped_ = false;  ///< because the user said so
  bool keeps_ = false;    ///< --rm does not apply to this end: the user starts it again
  bool released_ = false;

  // Of one run; forgetRun makes them new.
  std::string reportLine_;  ///< the child's last record, while it is incomplete
  std::string childStep_, execAt_;
  std::optional<Failure> failure_;
  std::string startedAt_;
  std::optional<int> status_;  ///< wait status of the main process
  bool paused_ = false, frozen_ = false;
  int holds_ = 0;
  long long runningSince_ = 0, endedAt_ = 0, drainUntil_ = 0;  ///< CLOCK_MONOTONIC, milliseconds
  std::size_t afterExit_ = 0;
  int exitCode_ = 0;
};

}  // namespace tsrun
