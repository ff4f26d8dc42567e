#pragma once
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "runtime/launch.h"
#include "runtime/report.h"

namespace tsrun {

/// Fills empty volumes from the image's content. Runs in the child, before any mount of the spec is made, so
/// that the image's own content is what is read.
///
/// A copy is complete or it is redone: it is made in `.copyup.part` beside the volume's directory, renamed to
/// `.copyup.done`, and only then moved into the volume, entry by entry and never over one that exists. The
/// volume's directory itself stays the same inode, as running containers may have it mounted. Whatever step
/// is interrupted, the next start sees which of the two names exists and goes on from there. A lock on the
/// directory that holds the volume keeps two starting containers apart, and is released by the kernel if one
/// dies.
class CopyUp {
 public:
  /// Volumes that vanish with the container (--rm) are not synced.
  explicit CopyUp(const Launch& launch);

  /// For a container with a user namespace: takes the directories of the volumes, seen with their ids mapped
  /// by `ids`, with the rights of the host. run() in the child uses them then.
  void takeVolumes(int ids, Report& report);

  void run(int root, Report& report) const;

 private:
  struct Item {
    std::string parent, name, destination;
    bool durable = true;
    UniqueFd mapped;
  };
  void runOne(const Item& item, int root, Report& report) const;

  std::vector<Item> items_;
};

}  // namespace tsrun
