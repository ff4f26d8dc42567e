#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace tsrun {

/// SHA-256 (FIPS 180-4), with the processor's own instructions where it has them.
class Sha256 {
 public:
  enum class Engine { best, portable };
  explicit Sha256(Engine engine = Engine::best);

  void update(const void* data, std::size_t size);
  /// 64 lower-case hex digits. The object is spent afterwards.
  std::string hex();

 private:
  using Compress = void (*)(std::uint32_t* state, const unsigned char* blocks, std::size_t count);
  Compress compress_;
  std::array<std::uint32_t, 8> state_;
  std::array<unsigned char, 64> pending_;
  std::size_t pendingSize_ = 0;
  std::uint64_t total_ = 0;
};

}  // namespace tsrun
