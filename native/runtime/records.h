#pragma once
#include <optional>
#include <string>

#include "base/failure.h"
#include "runtime/network.h"

namespace tsrun {

/// `state` in the container's directory: StateRecord of src/native/launch.ts.
struct StateRecord {
  std::string phase;  ///< "created", "running", "paused" or "restarting"
  int pid = 0;
  std::string startedAt;
  unsigned restartCount = 0;
  const Lease* network = nullptr;
};

/// `exit` in the container's directory: ExitRecord of src/native/launch.ts.
struct ExitRecord {
  int exitCode = 0;
  bool oomKilled = false;
  std::string startedAt;  ///< empty: the process never started
  std::string finishedAt;
  unsigned restartCount = 0;
  std::optional<Failure> error;
};

/// Replaces the record. Throws Failure(step::kRecord).
void writeState(const std::string& dir, const StateRecord& state);
void writeExit(const std::string& dir, const ExitRecord& exit, bool durable);

/// `startedAt` of `dir`/state or `dir`/exit. Nothing if the file is missing or, after a crash, broken; empty
/// if it has none.
std::optional<std::string> startedAtOf(const std::string& dir, const std::string& name);

/// `pid` of `dir`/state; 0 if there is none.
int pidOfState(const std::string& dir);

/// What one line of a report says: the failure of a `fail` record, the name of a step, or how a probe ended.
struct ReportLine {
  std::optional<Failure> failure;
  std::string step;
  std::optional<int> exitCode;
  std::string output;
};
ReportLine parseReportLine(const std::string& line);

/// The last record of a probe.
std::string probeLine(int exitCode, const std::string& output);

/// The line that recover and the tree verbs end with on fd 2: {"ok": …} or {"fail": …} (HelperResult).
std::string failureLine(const Failure& failure);

}  // namespace tsrun
