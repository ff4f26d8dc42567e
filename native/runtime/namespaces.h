#pragma once
#include <sched.h>
#include <sys/types.h>

#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "runtime/idmap.h"
#include "runtime/launch.h"
#include "runtime/report.h"
#include "runtime/spec.h"

namespace tsrun {

/// Which namespaces of the spec are new, and which exist already and are joined; and the birth of the process
/// in them.
///
/// With a user namespace the process has no rights outside of it from its first moment on. So it is born in
/// it, and what belongs to somebody else is joined before: by a process in between, which then makes the
/// container's process as a child of ours.
class Namespaces {
 public:
  /// Opens those to join. Throws Failure(step::kClone) for one that is not known or named twice, and without
  /// a mount namespace of its own: nothing may be mounted on the host; Failure(step::kUserNs) for maps that
  /// cannot be; Failure(step::kJoin, ESRCH) if a container of `join` does not run.
  Namespaces(const Spec& spec, const Launch::Join& join);

  /// The new ones as flags of clone3, without the cgroup and the time namespace, which the process makes
  /// itself.
  unsigned long long cloneFlags() const { return flags_; }
  bool isNew(int type) const { return (flags_ & static_cast<unsigned long long>(type)) != 0; }
  /// The mount namespace of the container whose ipc namespace is joined, for its /dev/shm; or -1.
  int mountsOfIpc() const { return mountsOfIpc_.get(); }
  /// A user namespace that is not our own, new or joined.
  bool hasUser() const { return isNew(CLONE_NEWUSER) || static_cast<bool>(user_); }
  /// Of the user namespace, also of one that is joined.
  const IdMaps& maps() const { return maps_; }

  /// As fork: makes the process, a child of ours, born in `cgroup` unless that is -1. The fd in `pidfd` is
  /// the caller's. Throws Failure(step::kClone), Failure(step::kJoin).
  pid_t clone(int cgroup, int* pidfd);
  /// What only we can do to it: the id maps. Before it is told to go on.
  void admit(pid_t pid) const;

  /// For the stage: enters the ipc namespace that is joined, if there is one.
  void joinIpc(Report& report) const;

  // In the process:
  /// What clone() has not joined yet.
  void join(Report& report);
  /// A time namespace with its offsets. While the process is still the host's user: it owns its own /proc
  /// files.
  void enterTimeNamespace(Report& report) const;
  /// Root of the user namespace, if there is one.
  void becomeRoot(Report& report) const;
  /// After the process has been put into its cgroup (on v1 it can only be done from outside).
  void enterCgroupNamespace(Report& report) const;

 private:
  struct Existing {
    UniqueFd fd;
    std::string path;
    int type;
    bool joined = false;
  };
  void add(const Spec::Namespace& ns, const Launch::Join& join);
  void openExisting(const Spec::Namespace& ns, int type);
  void setOffsets(const Spec& spec);
  pid_t cloneBehind(int cgroup, int* pidfd);
  void joinAll(int& error, const char*& subject);

  unsigned long long flags_ = 0;
  bool newCgroup_ = false, newTime_ = false;
  std::string offsets_, joinedPid_;
  std::vector<Existing> existing_;
  UniqueFd pids_, mountsOfIpc_, user_;
  IdMaps maps_;
};

/// For a process that has just come into a user namespace: who it was before has no rights in there.
void becomeRootOfNamespace(Report& report);

/// For as long as it lives, processes that this one makes are born in the pid namespace `fd`; -1 = in our
/// own. Only a single-threaded process can do that.
class BornIn {
 public:
  /// Throws Failure(step::kJoin).
  explicit BornIn(int fd);
  ~BornIn();
  BornIn(const BornIn&) = delete;
  BornIn& operator=(const BornIn&) = delete;
  /// Back to our own. Throws Failure(step::kJoin).
  void leave();
  /// In a process that was born: there is nothing to go back from.
  void forget() { own_.reset(); }

 private:
  UniqueFd own_;
};

}  // namespace tsrun
