#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/failure.h"
#include "base/unique_fd.h"
#include "runtime/ledger.h"
#include "runtime/spec.h"

namespace tsrun {

namespace cgroupfs {
/// One write into a control file. `controller` says in which hierarchy; empty = the v2 directory itself.
struct Write {
  std::string controller, file, value;
};
/// Which controllers a limit can be given to, and how.
struct LimitHost {
  std::vector<std::string> v1, v2;  ///< controllers that can be had
  bool hasV2 = false;
  bool swapInUse = true;         ///< /proc/swaps has an entry
  bool swapAccounting = true;    ///< memory.swap.max is there (v2)
  bool bfqWeight = false;        ///< the BFQ form of the weight file is there
  bool hugetlbReserved = false;  ///< limits of reserved huge pages are there
  std::int64_t memoryUsage = 0;  ///< bytes in use; only known when a limit is to be checked against it
};
}  // namespace cgroupfs

/// Where cgroups live on this machine, per controller: v1 hierarchies mounted alone or together, v2, or both
/// (hybrid). Found from /proc/self/mountinfo and /proc/self/cgroup, never assumed.
struct CgroupMount {
  std::string path;  ///< mount point
  bool v2 = false;
  std::vector<std::string> controllers;  ///< of v1: as named in the mount; of v2: cgroup.controllers
};
std::vector<CgroupMount> findCgroupMounts();

/// The cgroup of one container: a directory of the same relative path below every mounted hierarchy.
class Cgroup {
 public:
  /// What becomes of a directory that is there already: another life of the same id left it, or (for an OCI
  /// runtime, whose caller may have made it) it is used as it is.
  enum class Existing { refuse, share };
  /// Records it in the ledger, makes it (cpuset primed from the parent) and applies spec.resources.
  static Cgroup create(const Spec& spec, Ledger& ledger, Existing existing = Existing::refuse);
  /// An existing one, for exec, freeze, recovery.
  static Cgroup open(const std::string& relativePath);

  void add(int pid) const;
  /// Below it: a relative path in every hierarchy (""), or in that of a v1 controller. Throws
  /// Failure(step::kCgroupJoin), also for a path that leads out of it.
  void add(int pid, const std::map<std::string, std::string>& below) const;
  /// An O_PATH fd of the v2 directory, for CLONE_INTO_CGROUP; -1 where that does not apply (v1, hybrid).
  /// Owned by this.
  int v2Fd() const { return v2Fd_.get(); }
  /// Where the process `beside` is, if on v2 it cannot be added to the cgroup itself: whoever is in there has
  /// moved its processes further down.
  void addBeside(int pid, int beside) const;
  void freeze(bool frozen) const;
  bool isFrozen() const;
  /// Of all processes in and below it.
  std::vector<int> pids() const;
  /// A signal to each of them; which one is the first error but "no such process".
  void signalAll(int number) const;
  bool isThere() const { return !dirs_.empty(); }
  /// Directory in the v1 hierarchy that has `controller`, else the v2 directory; empty if there is neither.
  std::string directoryOf(const std::string& controller) const;
  /// True if `controller` is that of a v1 hierarchy.
  bool isV1(const std::string& controller) const;
  /// Applies limits to a living one (all but the devices); what stood there before, for `restore`. Throws
  /// Failure(step::kCgroupUpdate), and then all is as before.
  std::vector<cgroupfs::Write> update(const Spec::Resources& resources) const;
  void restore(std::vector<cgroupfs::Write> before) const;
  /// SIGKILL to every process in it (cgroup.kill, else freezer and a loop over cgroup.procs), and waits until
  /// empty.
  void killAll() const;
  /// True if the kernel's OOM killer struck in it (memory.events, or oom_kill in memory.oom_control).
  bool oomKilled() const;

 private:
  Cgroup(std::string path, std::vector<CgroupMount> mounts);
  std::string v1Freezer() const;
  std::string fileOf(const cgroupfs::Write& write) const;
  std::optional<Failure> writeAll(std::vector<cgroupfs::Write> writes) const;
  cgroupfs::LimitHost limitHost(const Spec::Resources& resources) const;

  std::string path_;
  std::vector<CgroupMount> mounts_;  ///< those where the directory exists
  std::vector<std::string> dirs_;    ///< same order as mounts_
  std::string v2Dir_;                ///< empty without a v2 mount
  UniqueFd v2Fd_;
};

/// Ledger releaser: kills stragglers, removes the directories (children first, with back-off up to 5 s) and
/// then the store's own parents (/tsrun/<tag>, /tsrun) when they are empty. Accepts "already gone".
void releaseCgroup(const std::string& relativePath);

}  // namespace tsrun
