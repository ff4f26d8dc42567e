#pragma once
#include <sys/types.h>

#include <string>
#include <vector>

#include "runtime/launch.h"
#include "runtime/report.h"
#include "runtime/spec.h"
#include "runtime/user_lookup.h"

namespace tsrun {

/// Who the process is.
struct Identity {
  uid_t uid = 0;
  gid_t gid = 0;
  Groups groups;  ///< supplementary, the primary group always among them (CVE-2022-36109)
  const char* home = "/";
};

/// The user of a container's process: of a tsrun container the text of launch.json, looked up in the root at
/// each start; of an OCI bundle the numbers of config.json.
class User {
 public:
  User(const Spec::Process& process, const Launch& launch);

  /// Runs in the child after pivot_root; `root` is "/", `proc` a procfs of our own.
  Identity find(int root, int proc, Report& report);

  /// Takes the groups and ids on. Capabilities needed for it must still be there. In a user namespace of one
  /// mapped group the kernel lets nobody change the groups.
  static void become(const Identity& identity, bool inUser, Report& report);

 private:
  std::string text_, userPart_, groupPart_;
  std::vector<std::string> groupAdd_;
  std::vector<unsigned> additionalGids_;
  bool byText_ = false;
  unsigned uid_ = 0, gid_ = 0;
  FoundUser found_;
};

}  // namespace tsrun
