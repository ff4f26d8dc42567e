#pragma once
#include <cstdint>

#include "layer/bytes.h"
#include "layer/huffman.h"

namespace tsrun {

/// A DEFLATE stream (RFC 1951), decoded at the pace of the reader. Ours because it is what a pull waits for:
/// zlib takes twice the time, and the libraries that are faster want the whole layer in memory or cannot be
/// linked statically.
class Deflate {
 public:
  /// A match reaches back this far.
  static constexpr std::size_t kHistory = 32 << 10;

  explicit Deflate(InputStream& input) : input_(input) {}

  /// Writes the bytes that come next, as many as there is room for; fewer only at the end of the stream. The
  /// kHistory bytes in front of `into` are those that were written last.
  /// @throws Failure layer.inflate: invalid data, or the input's end
  std::size_t read(unsigned char* into, std::size_t capacity);

  bool ended() const { return phase_ == Phase::ended; }
  /// Another stream follows: it cannot refer to this one.
  void restart();

 private:
  enum class Phase { block, stored, symbols, ended };

  /// Bits of the input that were taken from `next`, the first one lowest. Those above `count` are zero or
  /// what `next` has.
  struct Bits {
    const unsigned char* next = nullptr;
    const unsigned char* end = nullptr;
    std::uint64_t value = 0;
    unsigned count = 0;

    void drop(unsigned bits) {
      value >>= bits;
      count -= bits;
    }
    /// Needs eight readable bytes; then there are 56 bits or more.
    void fillFast();
    void fill();
    unsigned take(unsigned bits);
  };
  struct Tables {
    std::uint32_t litlen[huffman::kLitLenEntries];
    std::uint32_t dist[huffman::kDistEntries];
  };
  struct Output {
    unsigned char* next;
    unsigned char* end;
    const unsigned char* floor;  ///< a match may not reach below
  };

  /// Gives whole bytes back and gets more, at least `wanted` if the input has them.
  void load(std::size_t wanted);
  void giveBack();
  void beginBlock();
  void beginStored();
  void readTables();
  void readLengths(std::span<std::uint8_t> lengths);
  void endBlock() { phase_ = last_ ? Phase::ended : Phase::block; }
  void copyStored(Output& out);
  void decode(Output& out);
  void decodeOne(Output& out);
  std::uint32_t look(const std::uint32_t* table, unsigned indexBits);
  void copyPending(Output& out);
  void decodeFast(Output& out);
#if defined(__x86_64__)
  void decodeFastBmi2(Output& out);
#endif
  static const Tables& fixedTables();

  InputStream& input_;
  Bits bits_;
  Phase phase_ = Phase::block;
  bool last_ = false;
  std::size_t stored_ = 0;                        ///< bytes left of a stored block
  std::size_t pendingLength_ = 0, distance_ = 0;  ///< of a match for which there was no room
  std::size_t produced_ = 0;                      ///< of this stream, up to kHistory
  const Tables* tables_ = nullptr;
  Tables own_;
};

}  // namespace tsrun
