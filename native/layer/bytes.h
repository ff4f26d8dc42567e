#pragma once
#include <cstddef>
#include <span>
#include <string>

#include "layer/sha256.h"

namespace tsrun {

using Bytes = std::span<const unsigned char>;

/// read(2) until at least one byte came; 0 at the end. Waits when the other side made the descriptor
/// non-blocking.
std::size_t readSome(int fd, void* into, std::size_t capacity, const char* step, const std::string& subject);
void writeAll(int fd, const void* data, std::size_t size, const char* step, const std::string& subject);

/// A stream whose next piece can be looked at before it is taken.
class ByteStream {
 public:
  virtual ~ByteStream() = default;
  /// The bytes that come next, empty only at the end. Valid until the next call of peek.
  virtual Bytes peek() = 0;
  /// Takes the first `size` bytes of what peek returned.
  virtual void consume(std::size_t size) = 0;
};

/// A layer's bytes as they arrive: counted, and hashed if asked.
class InputStream : public ByteStream {
 public:
  /// `growing`: fd is a file that somebody else still appends to; each byte on `growing` says that there may
  /// be more of it, and its end that all of it is there.
  explicit InputStream(int fd, int growing = -1) : fd_(fd), growing_(growing) {}
  Bytes peek() override;
  void consume(std::size_t size) override { at_ += size; }

  /// As peek, but reads ahead until `size` bytes are there (kBuffer at the most) or the input has ended.
  Bytes peekAtLeast(std::size_t size);
  /// How many bytes the last peek showed and consume did not take.
  std::size_t available() const { return end_ - at_; }
  /// True if the next bytes are these; reads ahead as far as needed.
  bool startsWith(Bytes magic);
  /// Off: the caller knows the digest otherwise (an uncompressed layer's is its diff ID). Before the first
  /// consume.
  void hash(bool on) { hashing_ = on; }
  std::uint64_t size() const { return size_; }
  std::string digest() { return sha_.hex(); }

 private:
  bool refill();
  std::size_t receive();

  static constexpr std::size_t kBuffer = 128 << 10;
  int fd_, growing_;
  std::size_t at_ = 0, end_ = 0, hashed_ = 0;
  std::uint64_t size_ = 0;
  bool hashing_ = true, ended_ = false;
  Sha256 sha_;
  unsigned char buffer_[kBuffer];
};

}  // namespace tsrun
