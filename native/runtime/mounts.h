#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "runtime/cgroup_view.h"
#include "runtime/idmap.h"
#include "runtime/launch.h"
#include "runtime/mount_options.h"
#include "runtime/report.h"
#include "runtime/spec.h"

namespace tsrun {

/// The mounts of a container, computed before clone3 and made in the child, in the order of the spec. The
/// child's part allocates nothing; a failure there is reported and ends the process.
class Mounts {
 public:
  /// Throws Failure(step::kMount) for a mount that is refused as it stands. Relative bind sources are below
  /// `bundle`. Who joins an ipc namespace (`launch`) gets a mount for /dev/shm, unless the spec puts
  /// something there. `inUser`: the container has a user namespace; what looks at it from outside has none,
  /// and sees ids as they are on the disk.
  Mounts(const Spec& spec, const Launch& launch, const std::string& bundle, bool inUser = false);

  // Before clone3, with the rights of the host:
  /// Some mount's ids are mapped.
  bool hasIdMaps() const;
  /// Makes the user namespaces of the mapped mounts; `own` is that of the container's maps, or -1. Throws
  /// Failure.
  void prepareIdMaps(int own);
  /// Takes the sources of binds: all of them, or those of mapped mounts. After isolate().
  void takeSources(bool all, Report& report);
  /// The message queues of the ipc namespace that we are in, which is not the user namespace's.
  void takeQueues(Report& report);

  // In the child:

  /// Takes /dev/shm out of the mount namespace `donor`. Before isolate(); nothing if nobody is joined.
  void takeShm(int donor, Report& report);

  /// Cuts the new mount namespace off from the host's before the first mount: nothing made here may appear
  /// outside. Sources of [r]shared binds are taken before that: such a volume is the one way by which mounts
  /// propagate.
  void isolate(Report& report);

  /// Makes every mount below `root`. Paths of files made as mount points are appended to `stubs`
  /// (NUL-terminated).
  void make(int root, int stubs, Report& report);

  /// Makes the tmpfs read-only that were asked for so: only now is everything inside them in place.
  void finish(Report& report);

  /// True if a bind of the spec provides /dev, so that the engine must not fill it.
  bool bindsDev() const { return bindsDev_; }

 private:
  struct Plan {
    std::string destination, type, source;
    std::string subpath;  ///< only this part of the source
    MountOptions options;
    UniqueFd tree;      ///< taken before isolation
    UniqueFd readOnly;  ///< a tmpfs that becomes read-only at the end
    bool isDirectory = true;
    IdMaps maps;        ///< of this mount alone
    UniqueFd ids;       ///< user namespace of its own
    int mappedBy = -1;  ///< the user namespace of its ids
  };

  void addShm();
  void makeOne(Plan& plan, int root, int stubs, Report& report);
  UniqueFd makeFilesystem(Plan& plan, std::uint64_t attributes, Report& report);
  UniqueFd makeBind(Plan& plan, Report& report);
  UniqueFd makeOf(Plan& plan, std::uint64_t attributes, Report& report);
  UniqueFd cloneSource(Plan& plan, Report& report);
  UniqueFd bindHosts(Plan& plan, Report& report);
  void checkMappings(const Spec& spec, const Plan& plan) const;

  std::vector<Plan> plans_;
  std::optional<std::size_t> shm_;  ///< the plan of a /dev/shm that is another container's
  CgroupView cgroups_;
  bool bindsDev_ = false;
  bool inUser_ = false;  ///< in a user namespace that is not our own
  std::uint64_t rootPropagation_ = 0;
};

/// Opens (making it if missing) the target of a mount, checks it and records a new file in `stubs`. The
/// child's failure names `destination`.
struct MountTarget {
  UniqueFd fd;
  bool created = false;
};
MountTarget openMountTarget(int root, const char* destination, bool directory, bool realDirectory, int stubs,
                            Report& report);

/// Fails with what the file system itself said (read from its fsopen fd).
[[noreturn]] void dieOfFilesystem(int fs, const char* subject, Report& report);

}  // namespace tsrun
