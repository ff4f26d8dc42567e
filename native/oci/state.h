#pragma once
#include <sys/types.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "runtime/cgroup.h"
#include "runtime/hooks.h"

namespace tsrun::oci {

enum class Status { creating, created, running, paused, stopped };
const char* nameOf(Status status);

/// `state.json` in a container's state directory: what does not change. How it is with the container now is
/// asked of the kernel, each time.
struct State {
  std::string ociVersion, id, bundle, rootfs, created;
  pid_t pid = 0;          ///< in our pid namespace; 0 while it is being made
  std::string startTime;  ///< of the process, in the kernel's ticks: tells it from a later one of that number
  std::string cgroup;     ///< path below every hierarchy; empty = none of its own
  bool ownPids = true;    ///< it has a pid namespace of its own
  uid_t owner = 0;
  std::map<std::string, std::string> annotations;
};

/// A container of an OCI runtime: its directory below --root.
class Container {
 public:
  /// Throws Failure: "container does not exist".
  static Container open(const std::string& root, const std::string& id);
  /// Makes the directory. Throws Failure: "container already exists", or "invalid container ID format".
  static Container make(const std::string& root, const std::string& id);
  /// All of `root`, by id; those that have no state yet (or no longer) are left out.
  static std::vector<Container> all(const std::string& root);

  const std::string& dir() const { return dir_; }
  const State& state() const { return state_; }

  /// Replaces state.json.
  void save(const State& state);

  /// Waits until nobody else changes it, and keeps others out as long as this lives. Reads the state again:
  /// throws Failure, "container does not exist", if it was deleted meanwhile.
  void lock();
  void unlock() { lock_.reset(); }
  /// For a child, which must not keep it.
  int lockFd() const { return lock_.get(); }

  Status status() const;
  /// The living first process; empty if there is none any more.
  UniqueFd process() const;
  std::optional<Cgroup> cgroup() const;

  /// State as JSON, as `state` prints it and hooks get it.
  std::string json(Status status, int indent) const;
  HookState hookState(Status status) const;

  /// Fifos by which `start` speaks to the first process: the gate, and what the process says after it.
  std::string gatePath() const { return dir_ + "/gate"; }
  std::string startedPath() const { return dir_ + "/started"; }
  std::string configPath() const { return dir_ + "/config.json"; }

  /// Gives back what the container holds, and removes the directory. Throws the first Failure.
  void remove();

 private:
  explicit Container(std::string dir) : dir_(std::move(dir)) {}
  bool read();
  bool waitsAtGate() const;

  std::string dir_;
  State state_;
  UniqueFd lock_;
};

/// `created` and the like of `pid`, from /proc; empty if there is no such process, or nothing of it but its
/// exit code.
std::string startTimeOf(pid_t pid);

}  // namespace tsrun::oci
