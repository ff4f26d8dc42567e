#pragma once
#include <memory>

#include "layer/inflate.h"

namespace tsrun {

/// What a compressed stream holds.
class InflatedStream : public ByteStream {
 public:
  InflatedStream(Compression compression, InputStream& input) : inflater_(makeInflater(compression, input)) {}

  Bytes peek() override {
    if (!rest_.empty()) return rest_;
    // By turns: the inflater wants what it wrote last to stay as it is.
    std::swap(buffer_, last_);
    unsigned char* const into = buffer_.get() + Inflater::kFront;
    rest_ = {into, inflater_->read(into, kBuffer)};
    return rest_;
  }
  void consume(std::size_t size) override { rest_ = rest_.subspan(size); }

 private:
  static constexpr std::size_t kBuffer = 256 << 10;
  static std::unique_ptr<unsigned char[]> makeBuffer() {
    return std::make_unique<unsigned char[]>(Inflater::kFront + kBuffer);
  }

  std::unique_ptr<Inflater> inflater_;
  std::unique_ptr<unsigned char[]> buffer_ = makeBuffer(), last_ = makeBuffer();
  Bytes rest_;
};

}  // namespace tsrun
