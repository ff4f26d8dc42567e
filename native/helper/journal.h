#pragma once
#include <initializer_list>
#include <string>
#include <utility>

#include "runtime/launch.h"

namespace tsrun {

/// The store's event journal: what happens to one container while it lives. ARCHITECTURE.md ("Events") has
/// the shape of a line.
class Journal {
 public:
  using Attributes = std::initializer_list<std::pair<const char*, std::string>>;

  /// Appends one event with the attributes that all events of the container have, and `more`. A journal that
  /// cannot be written loses events, never the container.
  static void record(const Launch& launch, const std::string& action, Attributes more = {});
  /// The same for a container that lives in `dir` and may have been renamed: its attributes are read anew.
  static void record(const std::string& dir, Launch& launch, const std::string& action, Attributes more = {});
};

}  // namespace tsrun
