#pragma once
#include <memory>

#include "layer/inflate.h"

namespace tsrun {

/// What a compressed stream holds.
class InflatedStream : public ByteStream {
 public:
  InflatedStream(Compression compression, InputStream& input) : inflater_(makeInflater(compression, input)) {}

  Bytes peek() override {
    if (rest_.empty()) rest_ = {buffer_.get(), inflater_->read(buffer_.get(), kBuffer)};
    return rest_;
  }
  void consume(std::size_t size) override { rest_ = rest_.subspan(size); }

 private:
  static constexpr std::size_t kBuffer = 256 << 10;
  std::unique_ptr<Inflater> inflater_;
  std::unique_ptr<unsigned char[]> buffer_ = std::make_unique<unsigned char[]>(kBuffer);
  Bytes rest_;
};

}  // namespace tsrun
