#include "layer/pipeline.h"

namespace tsrun {

unsigned char* ChunkRing::acquire() {
  std::unique_lock lock(mutex_);
  freed_.wait(lock, [this] { return abandoned_ || written_ - released_ < kSlots; });
  if (abandoned_) return nullptr;
  Slot& slot = slots_[written_ % kSlots];
  if (!slot.data) slot.data = std::make_unique_for_overwrite<unsigned char[]>(kFront + kChunk);
  return slot.data.get() + kFront;
}

void ChunkRing::commit(std::size_t size) {
  const std::lock_guard lock(mutex_);
  slots_[written_ % kSlots].size = size;
  ++written_;
  filled_.notify_one();
}

void ChunkRing::finish(std::exception_ptr error) {
  const std::lock_guard lock(mutex_);
  finished_ = true;
  error_ = std::move(error);
  filled_.notify_one();
}

Bytes ChunkRing::take() {
  std::unique_lock lock(mutex_);
  if (released_ < taken_) {
    released_ = taken_;
    freed_.notify_one();
  }
  filled_.wait(lock, [this] { return finished_ || taken_ < written_; });
  if (taken_ == written_) {
    if (error_) std::rethrow_exception(error_);
    return {};
  }
  const Slot& slot = slots_[taken_ % kSlots];
  ++taken_;
  return {slot.data.get() + kFront, slot.size};
}

void ChunkRing::abandon() {
  const std::lock_guard lock(mutex_);
  abandoned_ = true;
  freed_.notify_one();
}

Bytes RingStream::peek() {
  if (chunk_.empty()) {
    chunk_ = ring_.take();
    sha_.update(chunk_.data(), chunk_.size());
    size_ += chunk_.size();
  }
  return chunk_;
}

}  // namespace tsrun
