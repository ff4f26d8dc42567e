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

/// PackResult of src/native/protocol.ts.
struct PackResult {
  std::string diffId;
  std::uint64_t tarSize = 0, entries = 0, contentSize = 0, skippedSockets = 0;
};

/// Writes the layer tar of a writable part to fd 1, jailed in it. `clampMtime` is the latest time an entry
/// may have, in seconds. Must be the whole of a single-threaded process. Throws Failure.
PackResult packLayer(const UpperRequest& request, std::optional<std::int64_t> clampMtime);

/// Writes what changed to fd 1 as `docker diff` lists it: "K /path" and a NUL each, K = A, C or D, sorted by
/// path. Jailed like packLayer. Throws Failure. Returns how many there are.
std::uint64_t diffLayer(const UpperRequest& request);

}  // namespace tsrun
