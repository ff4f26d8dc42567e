#pragma once
#include <memory>

#include "layer/bytes.h"
#include "layer/deflate.h"

namespace tsrun {

/// One compression format. Failures are of step layer.inflate; a stream that stops early is "unexpected EOF".
class Inflater {
 public:
  virtual ~Inflater() = default;
  /// Room that `into` needs in front of it.
  static constexpr std::size_t kFront = Deflate::kHistory;
  /// Fills `into` as far as the input reaches; less than `capacity` only at the end, 0 after it. What the
  /// last call wrote is unchanged, and the kFront bytes in front of `into` are free to be written.
  virtual std::size_t read(unsigned char* into, std::size_t capacity) = 0;
};

enum class Compression { none, gzip, zstd };

/// By the first bytes: declared media types are often wrong. Formats that no image may use (xz, bzip2) are
/// refused.
Compression sniff(InputStream& input);
std::unique_ptr<Inflater> makeInflater(Compression compression, InputStream& input);

}  // namespace tsrun
