#pragma once
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <vector>

#include "layer/bytes.h"
#include "layer/deflate.h"

namespace tsrun {

/// A bounded queue of chunks from one thread to another. The buffers go round; nothing is copied.
class ChunkRing {
 public:
  static constexpr std::size_t kChunk = 256 << 10;
  /// Room in front of each chunk, for what an inflater has to look back at.
  static constexpr std::size_t kFront = Deflate::kHistory;

  /// Producer: an empty chunk of kChunk bytes, null when the consumer has given up. The last one that was
  /// committed may still be read.
  unsigned char* acquire();
  void commit(std::size_t size);
  /// No more chunks; with `error` the consumer's next take throws it once it has taken what came before.
  void finish(std::exception_ptr error);

  /// Consumer: the next chunk, empty at the end. The one returned before becomes free again.
  Bytes take();
  /// The consumer wants no more.
  void abandon();

 private:
  static constexpr std::size_t kSlots = 16;
  struct Slot {
    std::unique_ptr<unsigned char[]> data;
    std::size_t size = 0;
  };

  std::mutex mutex_;
  std::condition_variable filled_, freed_;
  Slot slots_[kSlots];
  std::size_t written_ = 0, taken_ = 0, released_ = 0;  ///< chunks so far; slot = count modulo kSlots
  bool finished_ = false, abandoned_ = false;
  std::exception_ptr error_;
};

/// The consumer's view of the ring: a stream that hashes what passes.
class RingStream : public ByteStream {
 public:
  explicit RingStream(ChunkRing& ring) : ring_(ring) {}
  Bytes peek() override;
  void consume(std::size_t size) override { chunk_ = chunk_.subspan(size); }

  std::uint64_t size() const { return size_; }
  std::string digest() { return sha_.hex(); }

 private:
  ChunkRing& ring_;
  Bytes chunk_;
  std::uint64_t size_ = 0;
  Sha256 sha_;
};

}  // namespace tsrun
