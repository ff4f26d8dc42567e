#pragma once
#include <optional>

#include "layer/bytes.h"
#include "layer/pax.h"
#include "layer/tar_format.h"

namespace tsrun {

/// Reads ustar, PAX, GNU and old V7 archives. It knows nothing of files: it yields entries and the bytes of
/// their bodies. Where two headers give one thing (name, size, link) PAX wins; where readers are known to
/// disagree, it refuses. Throws Failure(step::kLayerTar).
class TarReader {
 public:
  explicit TarReader(ByteStream& stream) : stream_(stream) {}

  /// The next member; skips what is left of the body before it. False at the end of the archive.
  bool next(TarEntry& entry);
  /// The next piece of the current body, empty when it is all read. Valid until the next call on this object.
  Bytes body();
  /// After the end: takes what follows (padding, trailing bytes), so that it counts in the digests.
  void drain();

 private:
  bool readHeader(TarHeader& header);
  bool readBlock(void* block);
  std::string readMeta(const TarHeader& header);
  void skipBody();
  void fill(const TarHeader& header, TarEntry& entry);
  void names(const TarHeader& header, TarEntry& entry);
  void sizes(const TarHeader& header, TarEntry& entry);
  void sparse(const TarHeader& header, TarEntry& entry);
  void gnuSparse(const TarHeader& header, TarEntry& entry);
  void paxSparseFromBody(TarEntry& entry);
  std::uint64_t sparseNumber(std::string& block);

  ByteStream& stream_;
  std::uint64_t left_ = 0;     ///< of the current body
  std::uint64_t padding_ = 0;  ///< behind it
  PaxRecords globals_;
  std::optional<PaxRecords> pax_;                   ///< for the next member
  std::optional<std::string> longName_, longLink_;  ///< GNU's L and K, for the next member
};

}  // namespace tsrun
