#pragma once
#include <cstdint>
#include <string>

namespace tsrun {

struct CompressResult {
  std::string diffId;  ///< digest of what came in
  std::string digest;  ///< of what went out
  std::uint64_t size = 0, tarSize = 0;
};

/// fd 0 -> gzip -> fd 1, on all cores. Members of a fixed size, each a complete gzip stream: the same bytes
/// come out whatever the number of threads. Throws Failure(step::kLayerDeflate).
CompressResult compressLayer(int level);

}  // namespace tsrun
