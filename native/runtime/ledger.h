#pragma once
#include <string>
#include <string_view>

#include "base/unique_fd.h"

namespace tsrun {

/// What a container holds and must give back, written down before it is acquired ("cleanup is data"): one
/// JSON object a line, {"kind": …, "subject": …}, in `ledger` in the container's directory. Not synced: after
/// a reboot the kernel objects are gone anyway, and a releaser accepts "already gone".
///
/// kinds: "cgroup" (path below every cgroup mount, e.g. /tsrun/1a2b3c/<id>), "veth" (host-side interface
/// name),
///        "lease" (path of the lease file; releasing the last one on a network takes the bridge and the rules
///        away).
class Ledger {
 public:
  /// Opens (creating) `dir`/ledger for appending.
  explicit Ledger(const std::string& dir);
  void own(std::string_view kind, const std::string& subject);

  /// Runs every releaser of `dir`/ledger, newest first, and removes the file when all succeeded. Continues
  /// after an error; the first one is thrown at the end.
  static void releaseAll(const std::string& dir);

 private:
  UniqueFd file_;
  std::string path_;
};

}  // namespace tsrun
