#pragma once
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace tsrun {

/// What pack and diff read: the writable part of a container and what lies below it.
struct UpperRequest {
  std::string upper;
  std::vector<std::string> lowers;  ///< topmost first; empty = not known
  std::set<std::string> stubs;      ///< without leading slashes
};

/// A volume whose content becomes part of the layer.
struct PackVolume {
  std::string path;  ///< where the container has it
  std::string dir;   ///< where it lies
  std::string part;  ///< below that; empty = all of it
};

struct PackRequest : UpperRequest {
  /// The latest time an entry may have, in seconds.
  std::optional<std::int64_t> clampMtime;
  std::vector<PackVolume> volumes;
  /// All that the container sees, not just what it changed: a layer that needs nothing below.
  bool whole = false;
  int copy = -1;  ///< an fd that gets the same bytes as fd 1
};

/// PackResult of src/native/protocol.ts.
struct PackResult {
  std::string diffId;
  std::uint64_t tarSize = 0, entries = 0, contentSize = 0, skippedSockets = 0;
};

/// Writes the layer tar of a writable part to fd 1, jailed in it. Must be the whole of a single-threaded
/// process. Throws Failure.
PackResult packLayer(const PackRequest& request);

/// Writes what changed to fd 1 as `docker diff` lists it: "K /path" and a NUL each, K = A, C or D, sorted by
/// path. Jailed like packLayer. Throws Failure. Returns how many there are.
std::uint64_t diffLayer(const UpperRequest& request);

}  // namespace tsrun
