#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tsrun {

struct ApplyRequest {
  std::string target;
  /// The layers below, topmost first; empty = it is the first layer. Without a value they are not known, and
  /// the result says whether they matter.
  std::optional<std::vector<std::string>> lowers;
  int input = 0;     ///< the fd that the layer is read from
  int growing = -1;  ///< as InputStream has it
};

/// ApplyResult of src/native/protocol.ts.
struct ApplyResult {
  std::string digest, diffId;
  std::uint64_t size = 0, tarSize = 0, entries = 0, contentSize = 0;
  bool standalone = true;
};

/// Unpacks a layer, jailed in the target. Must be the whole of a single-threaded process: it cannot
/// be undone. Throws Failure.
ApplyResult applyLayer(const ApplyRequest& request);

}  // namespace tsrun
