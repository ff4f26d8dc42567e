#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "layer/bytes.h"
#include "layer/tar_format.h"

namespace tsrun {

/// Writes an archive to fd: ustar where it can say everything, else with a PAX header of just the missing
/// keys. The same entries give the same bytes. Throws Failure(step::kLayerWrite).
class TarWriter {
 public:
  /// `copy`, if it is an fd, gets the same bytes.
  explicit TarWriter(int fd, int copy = -1) : fd_(fd), copy_(copy) { buffer_.reserve(kBuffer); }

  /// entry.name with a trailing slash for directories. A body of entry.fileSize bytes must follow for kind
  /// file.
  void header(const TarEntry& entry);
  void body(Bytes bytes);
  /// Zeros where the body should be.
  void pad(std::uint64_t size);
  /// Fills the body's last block.
  void endBody(std::uint64_t size) { pad((kTarBlock - size % kTarBlock) % kTarBlock); }
  void finish();

  std::uint64_t size() const { return size_; }
  std::string digest() { return sha_.hex(); }

 private:
  void put(const void* data, std::size_t size);
  void flush();
  void write(const unsigned char* data, std::size_t size);
  void paxHeader(const std::string& records, const std::string& name);

  static constexpr std::size_t kBuffer = 256 << 10;
  int fd_, copy_;
  std::vector<unsigned char> buffer_;
  std::uint64_t size_ = 0;
  Sha256 sha_;
};

}  // namespace tsrun
