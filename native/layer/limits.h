#pragma once
#include <cstddef>
#include <cstdint>

/// What a layer may ask for. Real images stay orders of magnitude below; past these a stream is hostile or
/// broken.
namespace tsrun::limits {
inline constexpr std::size_t kPath = 4096;   ///< PATH_MAX: longer names cannot be reached by one system call
inline constexpr std::size_t kDepth = 1024;  ///< directories in one path
inline constexpr std::size_t kMeta = 1U << 20;  ///< body of a PAX header or a GNU long name
inline constexpr std::size_t kSparseExtents = 1U << 18;
inline constexpr std::uint64_t kEntries = 4'000'000;
inline constexpr std::uint64_t kTarBytes = 256ULL << 30;
/// DEFLATE cannot exceed 1032 : 1 and honest layers of zeros come close to it; only a bomb made with zstd
/// goes beyond.
inline constexpr std::uint64_t kRatio = 1100;
inline constexpr std::uint64_t kRatioFrom = 64ULL << 20;
inline constexpr int kZstdWindowLog = 27;  ///< 128 MiB
inline constexpr std::size_t kAddressSpace = 1ULL << 30;
inline constexpr int kSymlinks = 40;  ///< as the kernel's own MAXSYMLINKS
}  // namespace tsrun::limits
