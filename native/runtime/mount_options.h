#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace tsrun {

/// The options of one mount of the spec, as the kernel wants them.
struct MountOptions {
  struct Attributes {
    std::uint64_t set = 0, clear = 0;  ///< MOUNT_ATTR_*
    bool any() const { return set != 0 || clear != 0; }
  };
  bool bind = false, recursive = false;
  Attributes mount;               ///< of the mount itself
  Attributes tree;                ///< of it and everything below (rro, rnosuid, …)
  std::uint64_t propagation = 0;  ///< MS_PRIVATE, …; 0 = as it comes
  bool recursivePropagation = false;
  bool mapIds = false, recursiveIds = false;              ///< idmap, ridmap
  bool copyUp = false;                                    ///< tmpcopyup
  std::vector<std::pair<std::string, std::string>> data;  ///< for the file system; a flag has an empty value
};

/// Reads OCI/fstab option words; a later word wins. What is not a mount option is data for the file system.
MountOptions parseMountOptions(const std::vector<std::string>& options);

}  // namespace tsrun
