#pragma once
#include <sys/stat.h>

#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace tsrun {

/// One directory of the merged view of the lower layers: the directories that make it up, topmost first.
/// Whiteouts and opaque marks are honoured as overlayfs does. Empty where the view has no directory.
class LowerDir {
 public:
  /// What a name is in the view: which layer's directory it was found in.
  struct Found {
    int dir;
    struct stat status;
  };

  LowerDir() = default;
  /// The root of the view. Borrows nothing: the descriptors are reopened.
  static LowerDir root(const std::vector<UniqueFd>& lowers);

  bool empty() const { return layers_.empty(); }
  std::optional<Found> find(const std::string& name) const;
  /// The child directory `name`, empty if there is none.
  LowerDir enter(const std::string& name) const;
  /// Names visible in the view, sorted by bytes.
  std::vector<std::string> names() const;
  /// Of the topmost layer, which gives the merged directory its attributes.
  int top() const { return layers_.front().get(); }

 private:
  std::vector<UniqueFd> layers_;
};

}  // namespace tsrun
