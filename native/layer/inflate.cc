#include "layer/inflate.h"

#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/failure.h"
#include "layer/gzip.h"
#include "layer/layer_steps.h"
#include "layer/limits.h"

namespace tsrun {
namespace {

[[noreturn]] void corrupt(const std::string& why) {
  throw Failure(step::kLayerInflate, 0, "layer", why);
}

class Plain : public Inflater {
 public:
  explicit Plain(InputStream& input) : input_(input) {}

  std::size_t read(unsigned char* into, std::size_t capacity) override {
    std::size_t filled = 0;
    while (filled < capacity) {
      const Bytes next = input_.peek();
      if (next.empty()) break;
      const std::size_t take = std::min(next.size(), capacity - filled);
      std::memcpy(into + filled, next.data(), take);
      input_.consume(take);
      filled += take;
    }
    return filled;
  }

 private:
  InputStream& input_;
};

/// zstd frames, skippable ones included.
class Zstd : public Inflater {
 public:
  explicit Zstd(InputStream& input) : input_(input), stream_(ZSTD_createDStream()) {
    if (stream_ == nullptr) throw Failure(step::kLayerInflate, ENOMEM, "zstd");
    ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, limits::kZstdWindowLog);
  }
  ~Zstd() override { ZSTD_freeDStream(stream_); }

  std::size_t read(unsigned char* into, std::size_t capacity) override {
    ZSTD_outBuffer out{into, capacity, 0};
    while (out.pos < out.size) {
      const Bytes next = input_.peek();
      if (next.empty() && !inFrame_) break;
      ZSTD_inBuffer in{next.data(), next.size(), 0};
      const std::size_t before = out.pos;
      const std::size_t hint = ZSTD_decompressStream(stream_, &out, &in);
      if (ZSTD_isError(hint)) corrupt(std::string("zstd: ") + ZSTD_getErrorName(hint));
      input_.consume(in.pos);
      inFrame_ = hint != 0;
      if (next.empty() && inFrame_ && out.pos == before) corrupt("unexpected EOF");
    }
    return out.pos;
  }

 private:
  InputStream& input_;
  ZSTD_DStream* stream_;
  bool inFrame_ = false;
};

template <std::size_t N>
bool startsWith(InputStream& input, const std::array<unsigned char, N>& magic) {
  return input.startsWith(magic);
}

}  // namespace

Compression sniff(InputStream& input) {
  using Magic3 = std::array<unsigned char, 3>;
  if (startsWith(input, Magic3{0x1f, 0x8b, 8})) return Compression::gzip;
  if (startsWith(input, std::array<unsigned char, 4>{0x28, 0xb5, 0x2f, 0xfd})) return Compression::zstd;
  for (unsigned char low = 0x50; low <= 0x5f; ++low) {
    if (startsWith(input, std::array<unsigned char, 4>{low, 0x2a, 0x4d, 0x18})) return Compression::zstd;
  }
  if (startsWith(input, std::array<unsigned char, 6>{0xfd, '7', 'z', 'X', 'Z', 0})) {
    corrupt("unsupported compression: xz");
  }
  // "BZh", a level digit, then the first six digits of pi.
  if (startsWith(input, Magic3{'B', 'Z', 'h'})) {
    const Bytes next = input.peek();
    if (next.size() >= 10 && next[4] == 0x31 && next[5] == 0x41 && next[6] == 0x59) {
      corrupt("unsupported compression: bzip2");
    }
  }
  return Compression::none;
}

std::unique_ptr<Inflater> makeInflater(Compression compression, InputStream& input) {
  switch (compression) {
    case Compression::gzip:
      return std::make_unique<Gzip>(input);
    case Compression::zstd:
      return std::make_unique<Zstd>(input);
    case Compression::none:
      break;
  }
  return std::make_unique<Plain>(input);
}

}  // namespace tsrun
