#pragma once
#include <sys/stat.h>

#include <set>
#include <string>
#include <vector>

#include "layer/lower_dir.h"

namespace tsrun {

/// One name in the writable part of a container, beside what it covers in the layers below.
struct UpperNode {
  std::string path;  ///< without a leading slash
  int dir;           ///< the directory that holds it, and
  std::string name;
  struct stat status;
  bool whiteout = false;
  bool opaque = false;         ///< a directory whose mark is its own
  bool below = false;          ///< the layers below have something of that name,
  struct stat belowStatus {};  ///< this,
  bool belowHidden = false;    ///< but a directory above it is opaque
  /// The merged view shows the same with and without this node: the kernel copied it up and it was put back,
  /// or only something in it changed. Always false if the layers below are not known.
  bool unchanged = false;
};

/// Receives a walk: a directory before what is in it, whiteouts first, then by bytes.
class UpperVisitor {
 public:
  virtual ~UpperVisitor() = default;
  virtual void visit(const UpperNode& node) = 0;
  /// All of a directory has been visited.
  virtual void leave(const UpperNode& node) { (void)node; }
  /// A name below that an opaque directory above it hides and nothing in the writable part replaces.
  virtual void hidden(const std::string& path) { (void)path; }
};

struct WalkRequest {
  int upper;
  /// Paths (no leading slash) that are left out while they are empty regular files: the engine's mount
  /// points.
  const std::set<std::string>& stubs;
  /// Paths (the same) that are left out with all below them: a volume lies over them.
  const std::set<std::string>& covered;
};

/// Throws Failure(step::kLayerWalk). What vanishes during the walk is passed over.
void walkUpper(const WalkRequest& request, const LowerDir& lower, UpperVisitor& visitor);

}  // namespace tsrun
