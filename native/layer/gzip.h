#pragma once
#include "layer/deflate.h"
#include "layer/inflate.h"

namespace tsrun {

/// gzip (RFC 1952), of any number of members: many writers make one member per block, and each is a complete
/// stream.
class Gzip : public Inflater {
 public:
  explicit Gzip(InputStream& input) : input_(input), deflate_(input) {}
  std::size_t read(unsigned char* into, std::size_t capacity) override;

 private:
  void readHeader();
  unsigned char headerByte();
  unsigned headerNumber();
  void checkTrailer();
  void afterMember();
  void skipZeroPadding();

  enum class Phase { header, data, ended };

  InputStream& input_;
  Deflate deflate_;
  Phase phase_ = Phase::header;
  std::uint32_t crc_ = 0, headerCrc_ = 0;
  std::uint32_t size_ = 0;  ///< of the member, modulo 2^32, as its trailer has it
  const unsigned char* lastEnd_ = nullptr;
};

}  // namespace tsrun
