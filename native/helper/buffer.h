#pragma once
#include <cstddef>
#include <string>

namespace tsrun {

/// Bytes that wait for a slow reader. Gives its memory back when it becomes empty.
class Buffer {
 public:
  const char* data() const { return bytes_.data() + begin_; }
  std::size_t size() const { return bytes_.size() - begin_; }
  bool empty() const { return size() == 0; }
  void append(const char* data, std::size_t length) { bytes_.append(data, length); }
  void clear() {
    begin_ = 0;
    std::string().swap(bytes_);
  }
  void consume(std::size_t length) {
    begin_ += length;
    if (empty()) {
      clear();
    } else if (begin_ >= bytes_.size() / 2) {
      bytes_.erase(0, begin_);
      begin_ = 0;
    }
  }

 private:
  std::string bytes_;
  std::size_t begin_ = 0;
};

/// Past this much, whoever fills a buffer is made to wait.
inline constexpr std::size_t kBufferLimit = 1 << 20;

}  // namespace tsrun
